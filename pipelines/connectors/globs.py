"""Globs over keys: `**` crosses folders, `*` and `?` do not. Case-sensitive; a name written out always matches itself."""

import fnmatch
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

MAX_GLOB_LENGTH = 500
ANY_FOLDERS = "**"


def glob_problem(glob: str) -> str | None:
    """What is wrong with a glob, in words for the person who wrote it; None for a good one."""
    if not glob or len(glob) > MAX_GLOB_LENGTH:
        return f"a pattern of 1 to {MAX_GLOB_LENGTH} characters"
    if "\\" in glob:
        return "a pattern is written with forward slashes"
    if glob.startswith("/"):
        return "a pattern starts below the source's root, without a slash"
    segments = glob.split("/")
    if "." in segments or ".." in segments:
        return "a pattern has no '.' or '..' between slashes"
    if any(ANY_FOLDERS in segment and segment != ANY_FOLDERS for segment in segments):
        return "'**' stands alone between slashes, as in 'finance/**' or '**/*.pdf'"
    return None


def same_form(text: str) -> str:
    """The text in Unicode's composed form, in which names from all systems compare equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class Glob:
    """One compiled glob. The time to match is bounded by the product of both lengths, whatever the glob."""

    glob: str

    def __post_init__(self) -> None:
        problem = glob_problem(self.glob)
        if problem:
            raise ValueError(problem)
        object.__setattr__(self, "glob", same_form(self.glob))

    def matches(self, key: str) -> bool:
        key = same_form(key)
        if self.glob in (key, ANY_FOLDERS):
            return True
        return _matches(self._segments, key.split("/"))

    def covers(self, folder: str) -> bool:
        """Whether every key below `folder` matches. False does not mean that one does not."""
        if self.glob == ANY_FOLDERS:
            return True
        return self._above is not None and self._above.matches(folder)

    @cached_property
    def _segments(self) -> tuple[re.Pattern[str] | None, ...]:
        """None stands for `**`. A trailing `**` wants at least one name: `finance/**` is what is in the folder."""
        names = self.glob.split("/")
        if names[-1] == ANY_FOLDERS:
            names.append("*")
        return tuple(None if name == ANY_FOLDERS else re.compile(fnmatch.translate(name)) for name in names)

    @cached_property
    def _above(self) -> "Glob | None":
        head = self.glob.removesuffix("/" + ANY_FOLDERS)
        return Glob(head) if head != self.glob else None


def _matches(segments: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Greedy, falling back to the last `**` only: an earlier one could never match what the last one cannot."""
    at_segment = at_name = 0
    after_any, retry_name = -1, 0
    while at_name < len(names):
        segment = segments[at_segment] if at_segment < len(segments) else _NOTHING
        if segment is None:
            at_segment += 1
            after_any, retry_name = at_segment, at_name
        elif segment.match(names[at_name]):
            at_segment += 1
            at_name += 1
        elif after_any >= 0:
            retry_name += 1
            at_segment, at_name = after_any, retry_name
        else:
            return False
    return all(segment is None for segment in segments[at_segment:])


_NOTHING = re.compile(r"(?!)")
