"""What the columns of a row are for: its key, its readers, when it changed, and the document that its text makes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

from pipelines.connectors.permissions import Inherited
from pipelines.connectors.port import FileRefused
from pipelines.connectors.subjects import SubjectsUnreadable, read_subjects
from pipelines.connectors.urls import check_url
from retrieval.adapters.foreign_rows import Row, text_label
from retrieval.domain.documents import QuarantineCode
from retrieval.domain.errors import SourceUnavailable

MAX_ID_CHARACTERS = 200
ENDINGS: Mapping[str, str] = MappingProxyType({"plain": ".txt", "markdown": ".md", "html": ".html"})
MEDIA_TYPES: Mapping[str, str] = MappingProxyType({"plain": "text/plain", "markdown": "text/markdown", "html": "text/html"})


@dataclass(frozen=True)
class RowShape:
    """Names of columns; an empty name stands for a column that the source does not have.

    Attributes:
        source: the source's id, for the addresses of rows that have no link of their own.
        format: of the texts, a key of `ENDINGS`.
        named_as: what the names of readers are, as in `read_subjects`.
    """

    source: str
    ids: Sequence[str]
    texts: Sequence[str]
    title: str = ""
    updated: str = ""
    allowed: str = ""
    denied: str = ""
    link: str = ""
    format: str = "plain"
    named_as: str = "subject"

    @property
    def listed(self) -> Sequence[str]:
        """The columns that are read with every row, its texts not among them."""
        return [name for name in (*self.ids, self.title, self.updated, self.allowed, self.denied, self.link) if name]

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]

    def key(self, row: Row) -> str:
        """The ids, each one name of a path, and the format's ending. `written_ids` is the inverse.

        Raises:
            SourceUnavailable: the row has no id, so it could never be found again.
        """
        return "/".join(_name(row[column]) for column in self.ids) + ENDINGS[self.format]

    def written_ids(self, key: str) -> Mapping[str, str] | None:
        """Each id column and how its value is written; None for a key that is no row's."""
        names = key.removesuffix(ENDINGS[self.format]).split("/")
        return dict(zip(self.ids, map(unquote, names), strict=True)) if len(names) == len(self.ids) else None

    def uri(self, row: Row, key: str) -> str:
        """The row's link if it is one that people may follow."""
        link = row[self.link] if self.link else None
        try:
            return str(check_url(link, any_port=True)) if isinstance(link, str) else f"sql:{self.source}/{key}"
        except FileRefused:
            return f"sql:{self.source}/{key}"

    def fingerprint(self, row: Row) -> str | None:
        """By the column that says so, else by the texts; None when the row does not say. Other columns for the same text differ too."""
        shape = f"{self.title}\0{self.texts}\0{self.format}"
        told = f"\0at {row[self.updated]}" if self.updated else f"\0{self.title_of(row)}\0{[row[text_label(name)] for name in self.texts]}"
        if self.updated and row[self.updated] is None:
            return None
        return hashlib.blake2b((shape + told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def modified_at(self, row: Row) -> datetime | None:
        """A time, or a day's first moment; what has no zone is in UTC."""
        told = row[self.updated] if self.updated else None
        if isinstance(told, str):
            try:
                told = datetime.fromisoformat(told)
            except ValueError:
                return None
        if isinstance(told, date) and not isinstance(told, datetime):
            told = datetime(told.year, told.month, told.day, tzinfo=UTC)
        if not isinstance(told, datetime):
            return None
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)

    def permissions(self, row: Row) -> Inherited:
        """What the row itself says of its readers; the source's rules say the rest."""
        allow: frozenset[str] | None = None
        deny: frozenset[str] = frozenset()
        column = self.allowed
        try:
            if self.allowed:
                allow = read_subjects(row[self.allowed], named_as=self.named_as)
            column = self.denied
            if self.denied:
                deny = read_subjects(row[self.denied], named_as=self.named_as)
        except SubjectsUnreadable as error:
            return Inherited(problem=f"column '{column}' {error}; until that is mended, nobody reads this row")
        return Inherited(allow, f"column '{self.allowed}'", deny)

    def document(self, row: Row, *, max_bytes: int) -> bytes:
        """Title and texts as one document.

        Raises:
            FileRefused: it is larger than that.
        """
        title = self.title_of(row)
        text = "\n\n".join(str(row[text_label(name)]) for name in self.texts if row[text_label(name)] is not None)
        content = _DOCUMENTS[self.format](title, text).encode("utf-8", "replace")
        if len(content) > max_bytes:
            raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        return content

    def title_of(self, row: Row) -> str:
        """On one line; empty when there is none."""
        return " ".join(str(row[self.title] or "").split()) if self.title else ""


def _name(id_: Any) -> str:  # noqa: ANN401 - a value of any type that a database has
    written = "" if id_ is None else str(id_)
    if not written or len(written) > MAX_ID_CHARACTERS or isinstance(id_, bytes | memoryview):
        raise SourceUnavailable(f"a row has no id that can be written in 1 to {MAX_ID_CHARACTERS} characters")
    escaped = quote(written, safe="@:+,=!$()'", errors="surrogatepass")
    return "%2E" + escaped[1:] if escaped.startswith(".") else escaped


def _plain(title: str, text: str) -> str:
    return f"{title}\n\n{text}" if title else text


def _markdown(title: str, text: str) -> str:
    return f"# {title}\n\n{text}" if title else text


def _html(title: str, text: str) -> str:
    head = f"<title>{escape(title)}</title>" if title else ""
    heading = f"<h1>{escape(title)}</h1>\n" if title else ""
    return f'<!doctype html>\n<html><head><meta charset="utf-8">{head}</head><body>\n{heading}{text}\n</body></html>'


_DOCUMENTS = MappingProxyType({"plain": _plain, "markdown": _markdown, "html": _html})
