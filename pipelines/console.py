"""What the pipeline's commands share: where words for people go, so that the standard output is for results alone."""

import sys

import structlog
from rich.console import Console

from retrieval.domain.errors import ArchivistError, InvalidInput


def console() -> Console:
    return Console(stderr=True, highlight=False)


def log_to_stderr() -> None:
    """Warnings only: the commands say themselves what they do."""
    level = structlog.make_filtering_bound_logger("warning")
    structlog.configure(wrapper_class=level, logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def error_lines(error: ArchivistError) -> list[str]:
    """One line for each wrong field, or the one thing that is wrong."""
    return [str(problem) for problem in error.problems] if isinstance(error, InvalidInput) else [str(error)]
