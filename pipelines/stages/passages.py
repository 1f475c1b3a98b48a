"""Cut staged versions into passages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.stages.chunk import chunk
from retrieval.domain.documents import ParsedDocument
from retrieval.domain.ingestion import SourceRun, StagedVersion
from retrieval.ports.ingestion import Staging


@dataclass(frozen=True)
class Cut:
    versions: int = 0
    passages: int = 0
    tokens: int = 0


def cut_passages(
    staging: Staging,
    run: SourceRun,
    *,
    count_tokens: Callable[[Sequence[str]], list[int]],
    max_tokens: int,
    overlap_tokens: int,
    progress: Callable[[int], None] = lambda _done: None,
) -> Cut:
    """Passages for every staged version of the source that has none yet."""
    total = Cut()
    for version in staging.to_chunk(run):
        drafts = chunk(_parsed(version), count_tokens=count_tokens, max_tokens=max_tokens, overlap_tokens=overlap_tokens)
        staging.store_passages(run, version, drafts)
        total = Cut(total.versions + 1, total.passages + len(drafts), total.tokens + sum(draft.tokens for draft in drafts))
        progress(total.versions)
    return total


def _parsed(version: StagedVersion) -> ParsedDocument:
    return ParsedDocument(version.title, version.media_type, version.text, version.elements, method="stored")
