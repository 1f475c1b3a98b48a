"""The `web` connector: pages by a list of URLs or by a sitemap. Permissions come from the source's rules over the URL.

robots.txt is not read: the owner names the pages, or the sitemap that the site publishes for this purpose.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath

import httpx
import structlog

from pipelines.connectors.location import selection, value, values
from pipelines.connectors.outbound import Outbound, gunzip
from pipelines.connectors.permissions import Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import PROBE_MAX_FILES, FileRefused, Probe
from pipelines.connectors.selection import Selection
from pipelines.connectors.sitemap import MAX_SITEMAP_BYTES, Location, Sitemap, parse_sitemap
from pipelines.connectors.urls import check_url, key_of_url
from pipelines.connectors.validators import Validator, media_type, modified_at
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import FieldProblem, SourceUnavailable
from retrieval.domain.source_kinds import WEB
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

MAX_SITEMAPS = 500
"""Sitemaps that one index may list."""
_GZIP = b"\x1f\x8b"
_GONE = frozenset({404, 410})

_log = structlog.get_logger(__name__)


class WebConnector:
    """Pages of the web, each asked for only if it changed."""

    def __init__(
        self,
        outbound: Outbound,
        *,
        urls: Sequence[str],
        sitemap: str,
        selection: Selection,
        rules: Rules,
        max_urls: int,
        max_page_bytes: int,
    ) -> None:
        self._outbound = outbound
        self._urls = urls
        self._sitemap = sitemap
        self._selection = selection
        self._rules = rules
        self._max_urls = max_urls
        self._max_page_bytes = max_page_bytes

    def list(self) -> Iterator[SourceFile]:
        seen: set[str] = set()
        counts: Counter[str] = Counter()
        for location in self._locations(counts):
            try:
                key = key_of_url(location.url)
            except FileRefused:
                counts["not_a_url"] += 1
                continue
            if key in seen or not self._selection.takes(key):
                continue
            seen.add(key)
            if len(seen) > self._max_urls:
                raise SourceUnavailable(f"the source has more than {self._max_urls} pages; include less, or raise web_max_urls")
            found = self._rules.policy_of(key)
            yield SourceFile(key, key, modified_at=location.modified_at, policy=found.policy, policy_problem=found.problem)
        _log.info("source listed", documents=len(seen), **counts)

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        if not self._selection.takes(file.key):
            raise FileRefused("the page is not one of the source's")
        validator = Validator.read(known)
        reply = self._outbound.get(file.uri, max_bytes=self._max_page_bytes, conditions=validator.conditions)
        if reply.status in _GONE:
            return Gone()
        self._check_redirect(file, reply.url)
        if reply.status == 304 and validator.conditions(reply.url):
            return NotModified()
        if reply.status != 200:
            raise FileRefused(f"the site answered {reply.status}", retryable=True)
        return Fetched(
            reply.body,
            validator=Validator.of(reply).written(),
            media_type=media_type(reply),
            modified_at=modified_at(reply),
        )

    def probe(self) -> Probe:
        try:
            seen = list(islice(self.list(), PROBE_MAX_FILES + 1))
            if seen:
                self._outbound.get(seen[0].uri, max_bytes=self._max_page_bytes)
        except (SourceUnavailable, FileRefused) as error:
            return Probe(problem=str(error))
        looked_at = seen[:PROBE_MAX_FILES]
        return Probe(
            files=len(looked_at),
            has_more=len(seen) > PROBE_MAX_FILES,
            formats=Counter(PurePosixPath(httpx.URL(file.uri).path).suffix.lower() for file in looked_at),
            without_permission=sum(not file.policy.names_a_reader for file in looked_at),
        )

    def close(self) -> None:
        self._outbound.close()

    def _locations(self, counts: Counter[str]) -> Iterator[Location]:
        if not self._sitemap:
            yield from map(Location, self._urls)
            return
        sites = {httpx.URL(self._sitemap).netloc}
        sitemap, answered = self._read_sitemap(self._sitemap)
        sites.add(httpx.URL(answered).netloc)
        yield from _on_sites(sitemap.locations if not sitemap.is_index else self._indexed(sitemap, sites), sites, counts)

    def _indexed(self, index: Sitemap, sites: set[bytes]) -> Iterator[Location]:
        if len(index.locations) > MAX_SITEMAPS:
            raise SourceUnavailable(f"the sitemap index lists more than {MAX_SITEMAPS} sitemaps")
        for location in index.locations:
            if not _is_on(location.url, sites):
                raise SourceUnavailable("the sitemap index lists a sitemap of another site")
            sitemap, _ = self._read_sitemap(location.url)
            if sitemap.is_index:
                raise SourceUnavailable("the sitemap index lists another index; only one level is followed")
            yield from sitemap.locations

    def _read_sitemap(self, url: str) -> tuple[Sitemap, str]:
        """A sitemap and the URL that answered. Whatever is wrong with it leaves the whole source unlisted."""
        try:
            reply = self._outbound.get(url, max_bytes=MAX_SITEMAP_BYTES)
            if reply.status != 200:
                raise SourceUnavailable(f"the site answered {reply.status} for the sitemap")
            content = gunzip(reply.body, max_bytes=MAX_SITEMAP_BYTES) if reply.body.startswith(_GZIP) else reply.body
            sitemap = parse_sitemap(content)
        except FileRefused as error:
            raise SourceUnavailable(f"the sitemap cannot be read: {error.reason}") from error
        if not sitemap.locations:
            raise SourceUnavailable("the sitemap lists nothing")
        return sitemap, reply.url

    def _check_redirect(self, file: SourceFile, answered: str) -> None:
        """A page that redirects must not bring text under a policy that is not its own."""
        key = key_of_url(answered)
        if key == file.key:
            return
        if not self._selection.takes(key) or self._rules.policy_of(key).policy != self._rules.policy_of(file.key).policy:
            raise FileRefused("the page redirects to one that is not the source's, or that other people may read; name that one instead")


def _is_on(url: str, sites: set[bytes]) -> bool:
    try:
        return httpx.URL(url).netloc in sites
    except (httpx.InvalidURL, ValueError):
        return False


def _on_sites(locations: Iterable[Location], sites: set[bytes], counts: Counter[str]) -> Iterator[Location]:
    """A sitemap speaks for its own site only: it must not make us read another, say one inside our own network."""
    for location in locations:
        if _is_on(location.url, sites):
            yield location
        else:
            counts["other_sites"] += 1


def _connect(spec: SourceSpec, settings: Settings) -> WebConnector:
    sitemap = value(spec, WEB, "sitemap")
    return WebConnector(
        Outbound(settings),
        urls=values(spec, WEB, "urls"),
        sitemap=key_of_url(sitemap) if sitemap else "",
        selection=selection(spec, WEB),
        rules=Rules(spec.rules),
        max_urls=settings.web_max_urls,
        max_page_bytes=settings.source_max_file_bytes,
    )


def _problems(spec: SourceSpec, settings: Settings) -> Iterator[FieldProblem]:
    urls, sitemaps = values(spec, WEB, "urls"), values(spec, WEB, "sitemap")
    if bool(urls) == bool(sitemaps):
        yield FieldProblem("location.urls", "give either 'urls' or 'sitemap'")
    if len(urls) > settings.web_max_urls:
        yield FieldProblem("location.urls", "too many pages", f"{settings.web_max_urls} URLs")
    named = [(f"location.urls[{number}]", url) for number, url in enumerate(urls, 1)] + [("location.sitemap", url) for url in sitemaps]
    for field, url in named:
        try:
            check_url(url, any_port=settings.web_allow_private_addresses)
        except FileRefused as refused:
            yield FieldProblem(field, refused.reason)


PLUGIN = Plugin(WEB, connect=_connect, problems=_problems)
