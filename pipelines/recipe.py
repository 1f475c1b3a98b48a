"""The name of the way from bytes to passages. Under another recipe every document is taken in again."""

from pipelines.parsing.version import PARSER_VERSION
from pipelines.stages.chunk import CHUNKER_VERSION
from retrieval.settings import Settings


def recipe_of(settings: Settings) -> str:
    return (
        f"parser {PARSER_VERSION}, chunker {CHUNKER_VERSION}, tokens {settings.chunk_max_tokens}, overlap {settings.chunk_overlap_tokens}"
    )
