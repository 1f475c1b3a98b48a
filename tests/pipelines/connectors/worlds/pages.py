"""A web site with a sitemap of two parts, one of which can break."""

import hashlib
from urllib.parse import quote

from pipelines.connectors import web
from tests.pipelines.connectors.worlds.world import World
from tests.web_site import Answer, serving_site


class WebSite(World):
    plugin = web.PLUGIN
    limits = ("web_max_urls", "source_max_file_bytes")
    has_fingerprints = False

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self._serving = serving_site()
        self._site = self._serving.__enter__()
        self._names: list[str] = []
        index = self._list("sitemapindex", "sitemap", ["/one.xml", "/two.xml"])
        self._site.pages["/sitemap.xml"] = Answer(body=index)
        self.location = {"sitemap": f"{self._site.url}/sitemap.xml"}
        self.settings = self.settings.model_copy(update={"web_allow_private_addresses": True, "web_attempts": 1})
        self.mend()

    def put(self, name: str, text: str) -> None:
        etag = hashlib.sha256(text.encode()).hexdigest()
        self._site.pages[f"/{quote(name, safe='')}.txt"] = Answer(body=text.encode(), headers={"ETag": etag, "Content-Type": "text/plain"})
        self._names = sorted({*self._names, name})
        self.mend()

    def remove(self, name: str) -> None:
        del self._site.pages[f"/{quote(name, safe='')}.txt"]
        self._names.remove(name)
        self.mend()

    def break_off(self) -> None:
        self._site.pages["/two.xml"] = Answer(500)

    def mend(self) -> None:
        pages = [f"/{quote(name, safe='')}.txt" for name in self._names]
        self._site.pages["/one.xml"] = Answer(body=self._list("urlset", "url", pages or ["/nothing"]))
        self._site.pages["/two.xml"] = Answer(body=self._list("urlset", "url", pages or ["/nothing"]))

    def close(self) -> None:
        self._serving.__exit__(None, None, None)

    def key(self, name: str) -> str:
        return web.key_of_url(f"{self._site.url}/{quote(name, safe='')}.txt")

    def takes(self, name: str) -> bool:
        return True

    def _list(self, whole: str, one: str, paths: list[str]) -> bytes:
        places = "".join(f"<{one}><loc>{self._site.url}{path}</loc></{one}>" for path in paths)
        return f'<?xml version="1.0"?><{whole} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</{whole}>'.encode()
