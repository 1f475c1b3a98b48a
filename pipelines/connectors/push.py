"""The `push` connector: documents that an application sent, as the catalog and the blob store keep them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property

from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from retrieval.bootstrap import Ingestion, open_ingestion
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import CatalogUnavailable, FieldProblem, InvalidInput, SourceUnavailable
from retrieval.domain.pushing import check_key
from retrieval.domain.source_kinds import PUSH
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

PAGE_DOCUMENTS = 1_000
"""Documents read from the catalog at once."""


class PushConnector:
    """What was pushed to one source. `opening`: of the catalog and the blobs, at first use."""

    def __init__(
        self, source: str, opening: Callable[[], AbstractContextManager[Ingestion]], *, max_files: int, max_file_bytes: int
    ) -> None:
        self._source = source
        self._opening = opening
        self._max_files = max_files
        self._max_file_bytes = max_file_bytes
        self._opened = ExitStack()

    def list(self) -> Iterator[SourceFile]:
        after, listed = "", 0
        try:
            while page := self._kept.catalog.pushed.listed(self._source, after=after, count=PAGE_DOCUMENTS):
                listed += len(page)
                if listed > self._max_files:
                    raise SourceUnavailable(f"the source has more than {self._max_files} documents; raise source_max_files")
                yield from (document.source_file for document in page)
                after = page[-1].key
        except CatalogUnavailable as error:
            raise SourceUnavailable("the catalog does not say what was pushed") from error

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        try:
            check_key(file.key)
        except InvalidInput as error:
            raise FileRefused("the key is none that can be pushed") from error
        found = self._kept.catalog.pushed.find(self._source, file.key)
        if found is None:
            return Gone()
        if known == found.fingerprint:
            return NotModified()
        if found.size_bytes > self._max_file_bytes:
            raise FileRefused(f"larger than the limit of {self._max_file_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        try:
            content = self._kept.blobs.get(found.content_hash)
        except KeyError as error:
            raise FileRefused("its bytes are not in the blob store any more: push it again", retryable=True) from error
        return Fetched(content, found.fingerprint, found.media_type or None, found.modified_at, found.title or None)

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._opened.close()

    @cached_property
    def _kept(self) -> Ingestion:
        return self._opened.enter_context(self._opening())


def _problems(spec: SourceSpec, _settings: Settings) -> Iterator[FieldProblem]:
    if spec.rules:
        yield FieldProblem("rules", "must be empty: who may read a pushed document is said with it, and takes effect at once")


def _connect(spec: SourceSpec, settings: Settings) -> PushConnector:
    limits = {"max_files": settings.source_max_files, "max_file_bytes": settings.source_max_file_bytes}
    return PushConnector(spec.id, lambda: open_ingestion(settings), **limits)


PLUGIN = Plugin(PUSH, connect=_connect, problems=_problems)
