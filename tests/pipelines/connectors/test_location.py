"""What is said of a source's options while it is registered."""

import pytest

from pipelines.connectors.registry import PLUGINS, check_location, connect
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.source_kinds import KINDS
from retrieval.domain.sources import PermissionRule, SourceSpec


def problems(spec, settings) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        check_location(spec, settings)
    with pytest.raises(InvalidInput):
        connect(spec, settings)
    return [problem.field for problem in refused.value.problems]


def test_an_unknown_kind_is_named_with_the_known_ones(make_spec, settings):
    spec = make_spec("wiki", root="/srv")

    with pytest.raises(InvalidInput, match=r"kind: .*files, web") as refused:
        check_location(spec, settings)

    assert [problem.field for problem in refused.value.problems] == ["kind"]


def test_every_mistake_is_named_at_once(make_spec, settings):
    spec = make_spec(
        "files",
        root="relative",
        inclde="**",
        include=("**", "/x"),
        exclude="a\\b",
        rules=(PermissionRule("**.pdf", AccessPolicy.of(["everyone"])),),
    )

    assert problems(spec, settings) == ["location.inclde", "location.include[2]", "location.exclude[1]", "location.root", "rules[1].glob"]


@pytest.mark.parametrize(
    "root",
    [
        "docs", "./docs", "~/docs", "", "   ", "/", "//", "/srv/../etc", "/srv\x00", "file://host/srv", "file:srv", "http://example.com/x",
        "ftp://example.com/x", "sftp://h/x", "github://o:r@/", "zip://a::file:///b.zip", "simplecache::s3://b/f", "s3://", "s3://key:secret@b/f",
        "memory://a/../b", "memory://a?x", "s3://b/f::memory://x", "S3://b/f", "C:\\docs",
    ],
)  # fmt: skip
def test_a_root_that_is_no_folder_of_documents_is_refused(make_spec, settings, root):
    assert problems(make_spec("files", root=root), settings) == ["location.root"]


@pytest.mark.parametrize("location", [{}, {"root": ("/a", "/b")}])
def test_a_source_of_files_has_one_root(make_spec, settings, location):
    assert problems(make_spec("files", **location), settings) == ["location.root"]


@pytest.mark.parametrize("location", [{}, {"urls": ()}, {"urls": "https://a.test/", "sitemap": "https://a.test/sitemap.xml"}])
def test_a_web_source_has_either_urls_or_a_sitemap(make_spec, settings, location):
    assert problems(make_spec("web", **location), settings) == ["location.urls"]


def test_a_web_source_says_which_url_is_wrong(make_spec, settings):
    spec = make_spec("web", urls=("https://a.test/", "ftp://a.test/", "https://u:p@a.test/", "https://a.test:8080/"))

    assert problems(spec, settings) == ["location.urls[2]", "location.urls[3]", "location.urls[4]"]


def test_a_web_source_has_a_bounded_number_of_urls(make_spec, settings):
    spec = make_spec("web", urls=("https://a.test/1", "https://a.test/2"))

    assert problems(spec, settings.model_copy(update={"web_max_urls": 1})) == ["location.urls"]


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        ("files", {"root": "/srv/documents"}),
        ("files", {"root": "file:///srv/documents", "include": "**/*.pdf", "exclude": ("archive/**",)}),
        ("files", {"root": "memory://bucket/folder"}),
        ("web", {"urls": "https://example.com/handbook"}),
        ("web", {"sitemap": "https://example.com/sitemap.xml", "include": "https://example.com/docs/**"}),
    ],
)
def test_a_good_location_is_taken_without_reaching_it(make_spec, settings, kind, location):
    check_location(make_spec(kind, **location), settings)


def test_each_kind_explains_its_options():
    assert all(kind.description and option.description and option.example for kind in KINDS.values() for option in kind.options)
    assert list(KINDS) == list(PLUGINS), "every kind that people are shown has a connector"


def test_no_option_hides_a_field_that_every_source_has():
    common = set(SourceSpec.__dataclass_fields__)

    assert {option.name for kind in KINDS.values() for option in kind.options} & common == set()
