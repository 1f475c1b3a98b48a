"""Logs as JSON lines on standard error: ours and the libraries', in one form, with no value of a document, a query or a request in them."""

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog
from structlog.typing import EventDict, Processor

from retrieval.domain.errors import ArchivistError


def without_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A traceback as where and what kind, cause by cause. What an error says may hold the text of a document; only our own may not."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_told(each) for each in _chain(error))
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The first cause first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _chain(cause)
    yield error


def _told(error: BaseException) -> str:
    said = f": {error}" if isinstance(error, ArchivistError) else ""
    return "".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__module__}.{type(error).__qualname__}{said}"


_SHARED: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_values,
)


def configure_logs(level: str) -> None:
    """From `level` up. Call once, before anything logs."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("alembic", "httpx", "httpcore", "sentence_transformers", "fsspec", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
