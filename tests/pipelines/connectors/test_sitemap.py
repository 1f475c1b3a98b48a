"""Reading sitemaps."""

from datetime import UTC, datetime

import pytest

from pipelines.connectors.port import FileRefused
from pipelines.connectors.sitemap import Location, Sitemap, parse_sitemap

_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def test_a_sitemap_lists_pages_with_their_times():
    content = f"""<?xml version="1.0"?><urlset {_NAMESPACE}>
      <url><loc> https://a.test/1?a=1&amp;b=2 </loc><lastmod>2024-05-06</lastmod></url>
      <url><loc>https://a.test/2</loc><lastmod>2024-05-06T10:00:00+02:00</lastmod></url>
      <url><loc>https://a.test/3</loc><lastmod>yesterday</lastmod><priority>1</priority></url>
      <url><lastmod>2024</lastmod></url>
    </urlset>"""

    sitemap = parse_sitemap(content.encode())

    assert sitemap == Sitemap(
        is_index=False,
        locations=(
            Location("https://a.test/1?a=1&b=2", datetime(2024, 5, 6, tzinfo=UTC)),
            Location("https://a.test/2", datetime(2024, 5, 6, 8, tzinfo=UTC)),
            Location("https://a.test/3"),
        ),
    )


def test_an_index_lists_sitemaps():
    content = f"<sitemapindex {_NAMESPACE}><sitemap><loc>https://a.test/s1.xml</loc></sitemap></sitemapindex>"

    sitemap = parse_sitemap(content.encode())

    assert sitemap == Sitemap(is_index=True, locations=(Location("https://a.test/s1.xml"),))


def test_images_in_a_sitemap_are_not_pages():
    content = f"<urlset {_NAMESPACE} xmlns:i='i'><url><loc>https://a.test/1</loc><i:image><i:loc>https://b.test/x.png</i:loc></i:image></url></urlset>"

    sitemap = parse_sitemap(content.encode())

    assert [location.url for location in sitemap.locations] == ["https://a.test/1"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html><body>Not found</body></html>", id="a page"),
        pytest.param(b"<urlset><url><loc>https://a.test/1</loc></url>", id="cut off"),
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset>&b;</urlset>', id="entities"),
        pytest.param(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><urlset/>', id="a file of ours"),
        pytest.param(b"<urlset>" + b"<a>" * 100, id="deep nesting"),
        pytest.param(b"<urlset>" + b"<url><loc>https://a.test/</loc></url>" * 50_001 + b"</urlset>", id="too many"),
    ],
)
def test_what_is_not_a_sitemap_is_refused(content):
    with pytest.raises(FileRefused):
        parse_sitemap(content)
