"""The `web` connector against a real site."""

import gzip
from datetime import UTC, datetime

import pytest

from pipelines.connectors.port import FileRefused
from pipelines.connectors.registry import connect
from pipelines.connectors.validators import Validator
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy


@pytest.fixture
def make(make_spec, settings):
    """A connector that may reach loopback."""
    made = []

    def of(*, allow=None, rules=(), **location):
        changed = settings.model_copy(update={"web_allow_private_addresses": True, "web_attempts": 1, "web_max_urls": 5})
        spec = make_spec("web", allow={"**": ["everyone"]} if allow is None else allow, rules=rules, **location)
        made.append(connect(spec, changed))
        return made[-1]

    yield of
    for connector in made:
        connector.close()


def page_of(connector) -> SourceFile:
    return next(connector.list())


def sitemap_of(*urls: str, root: str = "urlset", entry: str = "url") -> bytes:
    return f"<{root}>{''.join(f'<{entry}><loc>{url}</loc></{entry}>' for url in urls)}</{root}>".encode()


def test_urls_are_listed_once_in_their_normal_form(site, make):
    connector = make(urls=(f"{site.url}/a#top", f"{site.url}/%61", f"{site.url}/x/../b?q=%7E", f"{site.url}"))

    found = [(file.key, file.uri, file.fingerprint) for file in connector.list()]

    assert found == [(url, url, None) for url in (f"{site.url}/a", f"{site.url}/b?q=~", f"{site.url}/")]
    assert site.requests == []


@pytest.mark.permissions
def test_rules_over_the_url_say_who_reads_a_page(site, make):
    connector = make(
        urls=(f"{site.url}/open/a", f"{site.url}/hr/b", f"{site.url}/c"),
        allow={f"{site.url}/open/**": ["everyone"], "**/hr/**": ["group:hr"]},
    )

    policies = {file.key.removeprefix(site.url): file.policy for file in connector.list()}

    assert policies == {"/open/a": AccessPolicy.of(["everyone"]), "/hr/b": AccessPolicy.of(["group:hr"]), "/c": NOBODY}


@pytest.mark.permissions
def test_a_needless_escape_does_not_get_around_a_rule(site, make):
    connector = make(urls=(f"{site.url}/%68r/b",), allow={"**/hr/**": ["group:hr"], "**": ["everyone"]})

    assert page_of(connector).policy == AccessPolicy.of(["group:hr"])


def test_a_page_is_fetched_with_type_time_and_validator(site, answer, make):
    site.pages["/a"] = answer(
        body=b"<p>hello",
        headers={"Content-Type": "Text/HTML; charset=utf-8", "ETag": '"1"', "Last-Modified": "Mon, 06 May 2024 08:00:00 GMT"},
    )
    connector = make(urls=(f"{site.url}/a",))

    fetched = connector.fetch(page_of(connector), known=None)

    assert isinstance(fetched, Fetched)
    assert (fetched.content, fetched.media_type, fetched.modified_at) == (b"<p>hello", "text/html", datetime(2024, 5, 6, 8, tzinfo=UTC))
    assert Validator.read(fetched.validator) == Validator(f"{site.url}/a", '"1"', "Mon, 06 May 2024 08:00:00 GMT")


def test_an_unchanged_page_is_not_sent_again(site, answer, make):
    site.pages["/a"] = answer(body=b"hello", headers={"ETag": '"1"', "Last-Modified": "Mon, 06 May 2024 08:00:00 GMT"})
    connector = make(urls=(f"{site.url}/a",))
    first = connector.fetch(page_of(connector), known=None)

    second = connector.fetch(page_of(connector), known=first.validator)

    assert second == NotModified()
    assert site.requests[1][1]["if-none-match"] == '"1"'
    assert site.requests[1][1]["if-modified-since"] == "Mon, 06 May 2024 08:00:00 GMT"


def test_a_validator_counts_for_the_page_that_gave_it_only(site, answer, make):
    site.pages |= {
        "/a": [answer(302, headers={"Location": "/v1"}), answer(302, headers={"Location": "/v2"})],
        "/v1": answer(body=b"one", headers={"ETag": '"1"'}),
        "/v2": answer(body=b"two", headers={"ETag": '"1"'}),
    }
    connector = make(urls=(f"{site.url}/a",))
    first = connector.fetch(page_of(connector), known=None)

    second = connector.fetch(page_of(connector), known=first.validator)

    assert isinstance(second, Fetched)
    assert second.content == b"two"


@pytest.mark.parametrize("known", ["", "rubbish", "[]", '{"x": 1}', '{"url": "", "etag": "a\\nb", "last_modified": ""}', "3"])
def test_a_validator_that_is_none_asks_unconditionally(site, answer, make, known):
    site.pages["/a"] = answer(body=b"hello")
    connector = make(urls=(f"{site.url}/a",))

    fetched = connector.fetch(page_of(connector), known=known)

    assert isinstance(fetched, Fetched)
    assert "if-none-match" not in site.requests[0][1]


def test_not_modified_without_having_been_asked_is_refused(site, answer, make):
    site.pages["/a"] = answer(304)
    connector = make(urls=(f"{site.url}/a",))

    with pytest.raises(FileRefused, match="304"):
        connector.fetch(page_of(connector), known=None)


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_no_more_is_gone(site, answer, make, status):
    site.pages["/a"] = answer(status)
    connector = make(urls=(f"{site.url}/a",))

    assert connector.fetch(page_of(connector), known=None) == Gone()


@pytest.mark.parametrize("status", [400, 401, 403, 418, 204, 206])
def test_a_page_that_is_withheld_is_refused_and_not_gone(site, answer, make, status):
    site.pages["/a"] = answer(status)
    connector = make(urls=(f"{site.url}/a",))

    with pytest.raises(FileRefused, match=str(status)) as refused:
        connector.fetch(page_of(connector), known=None)

    assert refused.value.rejection.retryable


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_site_is_unavailable_and_its_pages_are_not_gone(site, answer, make, status):
    site.pages["/a"] = answer(status)
    connector = make(urls=(f"{site.url}/a",))

    with pytest.raises(SourceUnavailable, match=str(status)):
        connector.fetch(page_of(connector), known=None)


@pytest.mark.permissions
@pytest.mark.parametrize(
    ("target", "taken"),
    [("/open/b", True), ("/hr/secret", False), ("/drafts/c", False)],
    ids=["same readers", "other readers", "not the source's"],
)
def test_a_redirect_brings_no_text_under_other_permissions(site, answer, make, target, taken):
    site.pages |= {"/open/a": answer(302, headers={"Location": target}), target: answer(body=b"text")}
    connector = make(urls=(f"{site.url}/open/a",), exclude=("**/drafts/*",), allow={"**/hr/*": ["group:hr"], "**": ["everyone"]})

    if taken:
        assert isinstance(connector.fetch(page_of(connector), known=None), Fetched)
    else:
        with pytest.raises(FileRefused, match="redirects"):
            connector.fetch(page_of(connector), known=None)


def test_a_page_that_is_not_the_sources_is_not_fetched(site, make):
    connector = make(urls=(f"{site.url}/a",), exclude=("**/private/**",))

    with pytest.raises(FileRefused, match="not one of"):
        connector.fetch(SourceFile(f"{site.url}/private/x", f"{site.url}/private/x"), known=None)

    assert site.requests == []


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip file"])
def test_a_sitemap_is_listed(site, answer, make, compress):
    content = sitemap_of(f"{site.url}/a", f"{site.url}/b", f"{site.url}/a", f"{site.url}/tags/c", "not a url", "ftp://x/")
    site.pages["/sitemap.xml"] = answer(body=compress(content))
    connector = make(sitemap=f"{site.url}/sitemap.xml", exclude=("**/tags/**",))

    keys = [file.key for file in connector.list()]

    assert keys == [f"{site.url}/a", f"{site.url}/b"]


def test_an_index_is_followed_one_level(site, answer, make):
    site.pages |= {
        "/index.xml": answer(body=sitemap_of(f"{site.url}/1.xml", f"{site.url}/2.xml", root="sitemapindex", entry="sitemap")),
        "/1.xml": answer(body=sitemap_of(f"{site.url}/a")),
        "/2.xml": answer(body=sitemap_of(f"{site.url}/b")),
    }

    keys = [file.key for file in make(sitemap=f"{site.url}/index.xml").list()]

    assert keys == [f"{site.url}/a", f"{site.url}/b"]


def test_an_index_that_lists_a_sitemap_of_another_site_is_not_followed(site, answer, make):
    elsewhere = site.url.replace("127.0.0.1", "localhost")
    site.pages |= {
        "/index.xml": answer(body=sitemap_of(f"{elsewhere}/1.xml", root="sitemapindex", entry="sitemap")),
        "/1.xml": answer(body=sitemap_of(f"{site.url}/a")),
    }

    with pytest.raises(SourceUnavailable, match="another site"):
        list(make(sitemap=f"{site.url}/index.xml").list())

    assert [path for path, _ in site.requests] == ["/index.xml"]


@pytest.mark.permissions
def test_a_sitemap_speaks_for_its_own_site_only(site, answer, make):
    site.pages["/sitemap.xml"] = answer(body=sitemap_of("http://10.0.0.1/secret", f"{site.url}/a", "http://localhost/x"))

    keys = [file.key for file in make(sitemap=f"{site.url}/sitemap.xml").list()]

    assert keys == [f"{site.url}/a"]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param({}, id="not there"),
        pytest.param({"/sitemap.xml": (403, b"")}, id="withheld"),
        pytest.param({"/sitemap.xml": (500, b"")}, id="broken"),
        pytest.param({"/sitemap.xml": (200, b"<html>maintenance</html>")}, id="a page"),
        pytest.param({"/sitemap.xml": (200, b"<urlset/>")}, id="empty"),
        pytest.param({"/sitemap.xml": (200, b"<urlset><url><loc>{url}/a</loc></url>")}, id="cut off"),
        pytest.param(
            {"/sitemap.xml": (200, b"<sitemapindex><sitemap><loc>{url}/1.xml</loc></sitemap></sitemapindex>")}, id="a part is missing"
        ),
        pytest.param(
            {"/sitemap.xml": (200, b"<sitemapindex><sitemap><loc>http://10.0.0.1/1.xml</loc></sitemap></sitemapindex>")},
            id="a part elsewhere",
        ),
        pytest.param({"/sitemap.xml": (200, b"<sitemapindex><sitemap><loc>{url}/sitemap.xml</loc></sitemap></sitemapindex>")}, id="itself"),
        pytest.param({"/sitemap.xml": (200, b"\x1f\x8brubbish")}, id="damaged gzip"),
    ],
)
def test_a_sitemap_that_cannot_be_read_is_never_a_short_listing(site, answer, make, pages):
    site.pages |= {path: answer(status, body.replace(b"{url}", site.url.encode())) for path, (status, body) in pages.items()}
    connector = make(sitemap=f"{site.url}/sitemap.xml")

    with pytest.raises(SourceUnavailable):
        list(connector.list())

    assert connector.probe().is_reachable is False


def test_more_pages_than_the_limit_are_an_error_and_not_a_part(site, answer, make):
    site.pages["/sitemap.xml"] = answer(body=sitemap_of(*(f"{site.url}/{n}" for n in range(6))))

    with pytest.raises(SourceUnavailable, match="more than 5 pages"):
        list(make(sitemap=f"{site.url}/sitemap.xml").list())


def test_a_probe_says_what_is_there(site, answer, make):
    site.pages["/a.html"] = answer(body=b"x")
    connector = make(urls=(f"{site.url}/a.html", f"{site.url}/b.PDF", f"{site.url}/c"), allow={"**/a.html": ["everyone"]})

    probe = connector.probe()

    assert probe.is_reachable
    assert (probe.files, probe.has_more, probe.size_bytes, probe.without_permission) == (3, False, None, 2)
    assert probe.formats == {".html": 1, ".pdf": 1, "": 1}
