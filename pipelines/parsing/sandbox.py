"""Documents parsed at arm's length: one process per document, with limits. The trusted side."""

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from types import TracebackType
from typing import Self

import structlog

from pipelines.parsing import rejections, wire
from pipelines.parsing.detect import FileType, detect
from pipelines.parsing.limits import Limits
from pipelines.parsing.request import Ending, Request
from pipelines.parsing.scratch import Scratch
from pipelines.parsing.server_process import ServerLost, ServerProcess
from retrieval.domain.documents import ParsedDocument, Rejection
from retrieval.settings import Settings

_log = structlog.get_logger(__name__)

_LOOK_AHEAD = 2
"""Documents taken from the input per worker: the one that it reads and the next."""
_GRACE_SECONDS = 15
"""How long beyond a document's wall time its server may take to answer before it counts as lost."""


@dataclass(frozen=True)
class ParseJob:
    """A document to parse. `key` is the caller's and comes back with the result."""

    key: str
    name: str
    content: bytes
    media_type: str | None = None


@dataclass(frozen=True)
class Isolation:
    """What the platform allowed for the parsing processes.

    Attributes:
        network_cut: they have no network at all.
    """

    network_cut: bool


class ParsePool:
    """Parses documents in processes of their own. Safe to use from several threads.

    Two fork servers stand behind it, each started when first needed: a light one for text, Markdown, tables, JSON, PDF and images,
    and a heavy one with `unstructured` loaded. `close()` ends them and whatever they run.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = limits_of(settings)
        self._workers = settings.parse_workers
        self._closed = False
        self._scratch = Scratch()
        self._light = ServerProcess("light", self._limits, self._scratch.path / "light")
        self._heavy = ServerProcess("heavy", self._limits, self._scratch.path / "heavy")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._closed = True
        self._light.close()
        self._heavy.close()
        self._scratch.remove()

    @property
    def isolation(self) -> Isolation:
        return Isolation(network_cut=self._light.network_cut())

    def parse(self, content: bytes, *, name: str, media_type: str | None = None) -> ParsedDocument | Rejection:
        """Parse one document, or say why it cannot be.

        Raises:
            ParserUnavailable: no parsing process can be started on this machine.
            RuntimeError: the pool is closed.
        """
        if self._closed:
            raise RuntimeError("the parsing pool is closed")
        if len(content) > self._limits.file_bytes:
            return rejections.too_large(len(content), self._limits.file_bytes)
        file_type = detect(content, name=name, media_type=media_type)
        if isinstance(file_type, Rejection):
            return file_type
        with tempfile.TemporaryDirectory(dir=self._scratch.path, prefix="document-", ignore_cleanup_errors=True) as directory:
            return self._parse_in(Path(directory), content, name=name, file_type=file_type)

    def parse_many(self, jobs: Iterable[ParseJob]) -> Iterator[tuple[ParseJob, ParsedDocument | Rejection]]:
        """Parse up to `parse_workers` documents at once and yield each as it finishes. The input is read only a little ahead."""
        running: dict[Future[ParsedDocument | Rejection], ParseJob] = {}
        waiting = iter(jobs)
        executor = ThreadPoolExecutor(self._workers, thread_name_prefix="parse")
        try:
            while True:
                while len(running) < self._workers * _LOOK_AHEAD and (job := next(waiting, None)) is not None:
                    running[executor.submit(self.parse, job.content, name=job.name, media_type=job.media_type)] = job
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _parse_in(self, directory: Path, content: bytes, *, name: str, file_type: FileType) -> ParsedDocument | Rejection:
        (directory / "content").write_bytes(content)
        server = self._light if file_type.is_light else self._heavy
        try:
            ending = self._ask(server, Request(directory, name, file_type))
        except ServerLost:
            _log.warning("parsing server lost", file_type=file_type.value)
            return rejections.SERVER_LOST
        if wire.has_result(directory):
            return self._result(directory, file_type)
        return _rejection_of(ending, self._limits)

    def _ask(self, server: ServerProcess, request: Request) -> Ending:
        """Hand a document to a server and wait for its process to end. Leaving early ends the process."""
        with server.connect() as connection:
            connection.settimeout(self._limits.wall_seconds + _GRACE_SECONDS)
            try:
                connection.sendall(request.to_json().encode() + b"\n")
                with connection.makefile("r", encoding="utf-8") as answer:
                    return Ending.from_json(answer.readline())
            except TimeoutError as error:
                server.close()
                raise ServerLost from error
            except (OSError, ValueError) as error:
                raise ServerLost from error

    def _result(self, directory: Path, file_type: FileType) -> ParsedDocument | Rejection:
        try:
            result, cause = wire.read_result(directory, self._limits)
        except wire.Unusable as error:
            _log.warning("unusable parsing result", file_type=file_type.value, problem=str(error))
            return rejections.UNUSABLE
        if cause:
            _log.info("document not parsed", file_type=file_type.value, cause=cause)
        return result


def _rejection_of(ending: Ending, limits: Limits) -> Rejection:
    """A process that left no result: what ended it."""
    if ending.timed_out:
        return rejections.timed_out(limits.wall_seconds)
    if ending.exit_code == -SIGXCPU:
        return rejections.timed_out(limits.cpu_seconds)
    if ending.exit_code == -SIGKILL:
        return rejections.KILLED
    return rejections.CRASHED


def limits_of(settings: Settings) -> Limits:
    return Limits(
        file_bytes=settings.source_max_file_bytes,
        wall_seconds=settings.parse_wall_seconds,
        cpu_seconds=settings.parse_cpu_seconds,
        memory_bytes=settings.parse_memory_bytes,
        text_characters=settings.parse_max_text_characters,
        expanded_bytes=settings.parse_max_expanded_bytes,
        archive_members=settings.parse_max_archive_members,
        compression_ratio=settings.parse_max_compression_ratio,
        pages=settings.parse_max_pages,
        ocr_pages=settings.parse_max_ocr_pages,
        image_pixels=settings.parse_max_image_pixels,
        table_cells=settings.parse_max_table_cells,
        attachments=settings.parse_max_attachments,
        ocr_languages=settings.parse_ocr_languages,
    )
