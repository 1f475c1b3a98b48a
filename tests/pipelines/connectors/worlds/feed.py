"""The feed of the example connector."""

import json
from urllib.parse import quote

from tests.pipelines.connectors import example_feed
from tests.pipelines.connectors.worlds.world import World
from tests.web_site import Answer, serving_site


class Feed(World):
    plugin = example_feed.PLUGIN
    breaks_after = 0

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self._serving = serving_site()
        self._site = self._serving.__enter__()
        self._items: dict[str, str] = {}
        self.location = {"url": f"{self._site.url}/feed.json"}
        self.settings = self.settings.model_copy(update={"web_allow_private_addresses": True, "web_attempts": 1})

    def put(self, name: str, text: str) -> None:
        self._items[name] = text
        self.mend()

    def remove(self, name: str) -> None:
        del self._items[name]
        self.mend()

    def break_off(self) -> None:
        self._site.pages["/feed.json"] = Answer(body=b'{"items": [{"id": "a", "te')

    def mend(self) -> None:
        items = [{"id": name, "text": text} for name, text in self._items.items()]
        self._site.pages["/feed.json"] = Answer(body=json.dumps({"items": items}).encode())

    def close(self) -> None:
        self._serving.__exit__(None, None, None)

    def key(self, name: str) -> str:
        return quote(name, safe="") + ".txt"
