"""The `ingest` connector: any source connector of unstructured-ingest, with the permissions that it is told.

It works in the process of the run, with the library's own time limits. What the library says of an error may hold credentials and
document text, so only the error's type is passed on.
"""

import asyncio
import hashlib
import os
import stat
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.connectors.ingest_options import Made, make, option_problems
from pipelines.connectors.ingest_permissions import PermissionsFromSystem
from pipelines.connectors.location import selection, value
from pipelines.connectors.permissions import Found, Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from pipelines.connectors.selection import Selection
from pipelines.connectors.urls import check_url
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.source_kinds import INGEST
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

PolicyOf = Callable[[str, object], Found]
"""From a key and what the system told of its readers to the policy."""


class IngestConnector:
    """One source of the library.

    Args:
        making: the library's objects, downloading below a folder that is removed with `close`.
    """

    def __init__(
        self,
        source: str,
        making: Callable[[Path], Made],
        *,
        policy_of: PolicyOf,
        selection: Selection,
        max_files: int,
        max_file_bytes: int,
    ) -> None:
        self._source = source
        self._making = making
        self._policy_of = policy_of
        self._selection = selection
        self._max_files = max_files
        self._max_file_bytes = max_file_bytes
        self._opened = ExitStack()
        self._one_at_a_time = threading.Lock()
        """Two files may have one path in the library's folder of downloads."""

    def list(self) -> Iterator[SourceFile]:
        self.__dict__.pop("_files", None)
        yield from (self._source_file(key, listed) for key, listed in sorted(self._files.items()))

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        """The first call of a connector that has not listed asks the system for its listing: the library downloads only what it listed."""
        if {"", ".", ".."} & set(file.key.split("/")):
            raise FileRefused("the path is not one of the source's")
        listed = self._files.get(file.key)
        if listed is None:
            return Gone()
        fingerprint = _fingerprint(listed)
        if known is not None and known == fingerprint:
            return NotModified()
        content = self._content(listed)
        return Fetched(content, fingerprint, modified_at=_moment(listed.metadata.date_modified))

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._opened.close()
        self.__dict__.pop("_made", None)

    @cached_property
    def _folder(self) -> Path:
        return Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="archivist-ingest-")))

    @cached_property
    def _made(self) -> Made:
        return self._making(self._folder)

    @cached_property
    def _files(self) -> Mapping[str, Any]:
        """Key to what the library lists. Two that have one path are told apart by their ids, so that each has a key."""
        found: dict[str, Any] = {}
        for listed in sorted(_protected(self._listed), key=lambda each: str(each.identifier)):
            key = _key(listed, taken=found)
            if not self._selection.takes(key):
                continue
            found[key] = listed
            if len(found) > self._max_files:
                raise SourceUnavailable(f"the source has more than {self._max_files} files; include less, or raise source_max_files")
        return found

    def _listed(self) -> Sequence[Any]:
        indexer = self._made.indexer
        indexer.precheck()
        listed = asyncio.run(_gathered(indexer.run_async())) if indexer.is_async() else list(indexer.run())
        if not listed:  # several of the library's connectors log what fails and go on
            raise SourceUnavailable("the connector lists nothing at all; to take everything away, retire the source")
        if any(getattr(each, "batch_items", None) for each in listed):
            raise SourceUnavailable("this connector lists records in batches, not documents; the kind 'sql' reads databases")
        return listed

    def _source_file(self, key: str, listed: Any) -> SourceFile:  # noqa: ANN401 - the library's FileData
        metadata = listed.metadata
        found = self._policy_of(key, metadata.permissions_data)
        return SourceFile(
            key,
            _uri(metadata.url) or f"ingest:{self._source}/{key}",
            fingerprint=_fingerprint(listed),
            size_bytes=metadata.filesize_bytes,
            modified_at=_moment(metadata.date_modified),
            policy=found.policy,
            policy_problem=found.problem,
        )

    def _content(self, listed: Any) -> bytes:  # noqa: ANN401 - the library's FileData
        size = listed.metadata.filesize_bytes
        if size is not None and size > self._max_file_bytes:
            raise _too_large(self._max_file_bytes)
        with self._one_at_a_time:
            path = Path(_protected(lambda: self._downloaded(listed))["path"])
            try:
                return self._read(path)
            finally:
                if path.resolve().is_relative_to(self._folder.resolve()):
                    path.unlink(missing_ok=True)

    def _downloaded(self, listed: Any) -> Mapping[str, Any]:  # noqa: ANN401 - the library's FileData
        downloader = self._made.downloader
        answer = asyncio.run(downloader.run_async(file_data=listed)) if downloader.is_async() else downloader.run(file_data=listed)
        answers = answer if isinstance(answer, list) else [answer]
        if len(answers) != 1:
            raise FileRefused("the connector makes several documents of it, which cannot be told apart")
        return dict(answers[0])

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise FileRefused("what the connector downloaded is not a regular file")
                content = file.read(self._max_file_bytes + 1)
        except OSError as error:
            raise FileRefused("what the connector downloaded cannot be read", retryable=True) from error
        if len(content) > self._max_file_bytes:
            raise _too_large(self._max_file_bytes)
        return content


async def _gathered(listed: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in listed]


def _protected(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
    """The library's errors as ours, without what they say."""
    try:
        return work()
    except (SourceUnavailable, FileRefused):
        raise
    except Exception as error:  # noqa: BLE001 - a library of many connectors raises anything
        raise SourceUnavailable(f"the connector failed ({type(error).__name__})") from None


def _key(listed: Any, *, taken: Mapping[str, Any]) -> str:  # noqa: ANN401 - the library's FileData
    """The path below the source's root, or the id where there is none."""
    identifiers = listed.source_identifiers
    path = (identifiers.relative_path if identifiers else "") or listed.identifier
    names = [name.replace("#", "%23") for name in str(path).replace("\\", "/").split("/") if name not in {"", ".", ".."}]
    key = "/".join(names) or hashlib.blake2b(str(listed.identifier).encode(), digest_size=8).hexdigest()
    if key not in taken:
        return key
    folder, _, name = key.rpartition("/")
    mark = hashlib.blake2b(str(listed.identifier).encode(), digest_size=8).hexdigest()
    return f"{folder}/{mark}-{name}" if folder else f"{mark}-{name}"


def _fingerprint(listed: Any) -> str | None:  # noqa: ANN401 - the library's FileData
    metadata = listed.metadata
    said = (metadata.version, metadata.date_modified, metadata.filesize_bytes)
    if metadata.version is None and metadata.date_modified is None:
        return None
    return hashlib.blake2b(repr((listed.identifier, *said)).encode(), digest_size=16).hexdigest()


def _moment(said: str | None) -> datetime | None:
    """Seconds since 1970, or ISO 8601: connectors write the one or the other."""
    if said is None:
        return None
    try:
        return datetime.fromtimestamp(float(said), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _uri(url: str | None) -> str | None:
    try:
        return str(check_url(url, any_port=True)) if url else None
    except FileRefused:
        return None


def _too_large(limit: int) -> FileRefused:
    return FileRefused(f"larger than the limit of {limit} bytes", code=QuarantineCode.TOO_LARGE)


def _connect(spec: SourceSpec, settings: Settings) -> IngestConnector:
    rules = Rules(spec.rules)
    from_system = PermissionsFromSystem(rules, issuer=value(spec, INGEST, "issuer"))
    by_rules = value(spec, INGEST, "permissions") == "rules"
    return IngestConnector(
        spec.id,
        lambda downloads: make(spec, settings, downloads=downloads),
        policy_of=(lambda key, _told: rules.policy_of(key)) if by_rules else from_system.policy_of,
        selection=selection(spec, INGEST),
        max_files=settings.source_max_files,
        max_file_bytes=settings.source_max_file_bytes,
    )


PLUGIN = Plugin(INGEST, connect=_connect, problems=option_problems)
