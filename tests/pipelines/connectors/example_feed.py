"""The example of `pipelines/connectors/WRITING_ONE.md`: the items of a JSON feed, `{"items": [{"id": "…", "text": "…"}]}`."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from pipelines.connectors.location import value
from pipelines.connectors.outbound import Outbound
from pipelines.connectors.permissions import Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.ids import content_hash
from retrieval.domain.source_kinds import Kind, Option
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

FEED = Kind("feed", "A JSON feed.", (Option("url", "Where the feed is.", required=True, example="https://example.com/f.json"),))


class FeedConnector:
    def __init__(self, spec: SourceSpec, settings: Settings) -> None:
        self._url, self._rules = value(spec, FEED, "url"), Rules(spec.rules)
        self._settings, self._outbound = settings, Outbound(settings)

    def list(self) -> Iterator[SourceFile]:
        for key, text in self._items().items():
            found = self._rules.policy_of(key)
            yield SourceFile(key, f"{self._url}#{key}", content_hash(text), policy=found.policy, policy_problem=found.problem)

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        if file.uri != f"{self._url}#{file.key}":
            raise FileRefused("not an item of the feed")
        if (text := self._items().get(file.key)) is None:
            return Gone()
        if len(text) > (most := self._settings.source_max_file_bytes):
            raise FileRefused(f"larger than the limit of {most} bytes", code=QuarantineCode.TOO_LARGE)
        return NotModified() if known == content_hash(text) else Fetched(text, content_hash(text), "text/plain")

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._outbound.close()

    def _items(self) -> dict[str, bytes]:
        try:
            body = self._outbound.get(self._url, max_bytes=50_000_000).body
            items = {quote(item["id"], safe="") + ".txt": item["text"].encode() for item in json.loads(body)["items"]}
        except (FileRefused, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SourceUnavailable("the feed cannot be read") from error
        if len(items) > (most := self._settings.source_max_files):
            raise SourceUnavailable(f"the feed has more than {most} items; raise source_max_files")
        return dict(sorted(items.items()))


PLUGIN = Plugin(FEED, connect=FeedConnector)
