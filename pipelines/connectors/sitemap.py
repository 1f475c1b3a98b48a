"""A sitemap's bytes as the locations it lists. See https://www.sitemaps.org/protocol.html."""

from dataclasses import dataclass
from datetime import UTC, datetime
from xml.parsers import expat

from pipelines.connectors.port import FileRefused

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""Decompressed; the protocol's own limit."""
MAX_LOCATIONS = 50_000
"""In one sitemap; the protocol's own limit."""
_MAX_DEPTH = 20


@dataclass(frozen=True)
class Location:
    """One URL of a sitemap, as written, and when it says that the page changed."""

    url: str
    modified_at: datetime | None = None


@dataclass(frozen=True)
class Sitemap:
    """Either pages or, for an index, further sitemaps."""

    is_index: bool
    locations: tuple[Location, ...]


def parse_sitemap(content: bytes) -> Sitemap:
    """What a sitemap lists, in its order.

    Raises:
        FileRefused: not a sitemap, or one that breaks the protocol's limits.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        raise FileRefused(f"not understood as a sitemap, line {error.lineno}") from error
    return Sitemap(reader.is_index, tuple(reader.locations))


class _Reader:
    """Collects `loc` and `lastmod` of each `url` or `sitemap` directly under the root."""

    def __init__(self) -> None:
        self.is_index = False
        self.locations: list[Location] = []
        self._path: list[str] = []
        self._texts: dict[str, str] = {}
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        """Without a DOCTYPE no entity can be declared, so none can expand or name a file."""
        raise FileRefused("a sitemap has no DOCTYPE")

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(" ")[2]
        if not self._path and local not in {"urlset", "sitemapindex"}:
            raise FileRefused("not a sitemap: it starts with neither 'urlset' nor 'sitemapindex'")
        if not self._path:
            self.is_index = local == "sitemapindex"
        self._path.append(local)
        if len(self._path) > _MAX_DEPTH:
            raise FileRefused("a sitemap is not nested that deep")
        if len(self._path) == 2:
            self._texts = {}

    def _text(self, text: str) -> None:
        if len(self._path) == 3 and self._path[2] in {"loc", "lastmod"}:
            self._texts[self._path[2]] = self._texts.get(self._path[2], "") + text

    def _end(self, _name: str) -> None:
        if len(self._path) == 2 and self._path[1] == ("sitemap" if self.is_index else "url"):
            url = self._texts.get("loc", "").strip()
            if url:
                self.locations.append(Location(url, _moment(self._texts.get("lastmod", "").strip())))
            if len(self.locations) > MAX_LOCATIONS:
                raise FileRefused(f"a sitemap lists at most {MAX_LOCATIONS} locations")
        self._path.pop()


def _moment(written: str) -> datetime | None:
    """A W3C date or time; a date is its first moment in UTC."""
    try:
        moment = datetime.fromisoformat(written)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
