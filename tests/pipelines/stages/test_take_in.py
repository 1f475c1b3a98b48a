"""Taking in real folders and a real web site on loopback, with the real parsing pool, on SQLite and on PostgreSQL."""

import email.message
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipelines.connectors.registry import connect
from pipelines.parsing.sandbox import ParsePool
from pipelines.stages.listing import record_listing
from pipelines.stages.take_in import MAX_UNAVAILABLE_IN_A_ROW, TakeIn, TakenIn
from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.tables import documents, quarantine
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.settings import Settings
from tests.story import ANN, BOB, Story
from tests.web_site import Answer, Site

EVERYONE = (PermissionRule("**", AccessPolicy.of(["everyone"])),)


@pytest.fixture
def quick(tmp_path: Path, catalog_url: str) -> Settings:
    return Settings(
        data_directory=tmp_path / "archivist",
        catalog_url=catalog_url,
        web_allow_private_addresses=True,
        web_attempts=1,
        parse_retry_seconds=1,
    )


@pytest.fixture(scope="module")
def parser() -> Iterator[ParsePool]:
    with ParsePool(Settings()) as pool:
        yield pool


@dataclass
class Source:
    """One source, and runs over it up to staged versions; `publish` shows them."""

    catalog: Catalog
    settings: Settings
    parser: ParsePool
    spec: SourceSpec

    def __post_init__(self) -> None:
        self.story = Story(self.catalog, source=self.spec.id, kind=self.spec.kind, recipe="recipe")
        self.register(self.spec)

    def register(self, spec: SourceSpec) -> None:
        self.spec = SourceSpec(**{**vars(spec), "title": "Handbook"})
        self.catalog.sources.register(self.spec, by="user:dana")

    def run(self) -> TakenIn:
        run = self.story.start()
        connector = connect(self.spec, self.settings)
        try:
            record_listing(connector.list(), self.catalog.listing, run, max_files=1000)
            taken = TakeIn(
                connector=connector,
                staging=self.catalog.staging,
                blobs=FsspecBlobs(self.settings.resolved_blob_url),
                parser=self.parser,
                run=run,
                recipe="recipe",
                parser_version="1",
            ).take_in()
        finally:
            connector.close()
        self.story.cut(run)
        self.story.embed()
        self.story.publish(run)
        return taken

    def keys(self) -> list[str]:
        with self.catalog.database.read() as connection:
            return sorted(connection.scalars(select(documents.c.key).where(documents.c.current_version.is_not(None))))


@pytest.fixture
def make_source(quick: Settings, parser: ParsePool) -> Iterator[Callable[..., Source]]:
    catalog = open_catalog(quick)

    def make(kind: str, *, rules: tuple[PermissionRule, ...] = EVERYONE, **location: str | tuple[str, ...]) -> Source:
        return Source(catalog, quick, parser, SourceSpec("handbook", kind, "Handbook", "user:dana", location=location, rules=rules))

    yield make
    catalog.close()


def letter(*attachments: tuple[str, str]) -> bytes:
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.org", "bob@example.org", "The bearing"
    message.set_content("The bearing arrives on Monday. Please see what is attached.")
    for name, text in attachments:
        message.add_attachment(text.encode(), maintype="text", subtype="plain", filename=name)
    return message.as_bytes()


def test_an_attachment_is_a_document_of_its_own_with_the_readers_of_its_letter(make_source, tmp_path: Path):
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "a.eml").write_bytes(letter(("results.txt", "The bearing failed at 9,000 cycles.")))
    source = make_source("files", root=str(folder), rules=(PermissionRule("**", AccessPolicy.of(["user:ann"])),))

    taken = source.run()

    assert source.keys() == ["a.eml", "a.eml#1/results.txt"]
    assert taken.parsed == 2
    assert any("9,000" in text for text in source.story.visible(ANN))
    assert source.story.visible(BOB) == set()


def test_a_letters_new_permission_reaches_its_attachment(make_source, tmp_path: Path):
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "a.eml").write_bytes(letter(("results.txt", "The bearing failed at 9,000 cycles.")))
    source = make_source("files", root=str(folder))
    source.run()

    source.register(SourceSpec(**{**vars(source.spec), "rules": (PermissionRule("**", AccessPolicy.of(["user:ann"])),)}))
    taken = source.run()

    assert (taken.parsed, taken.reused) == (0, 0)
    assert any("9,000" in text for text in source.story.visible(ANN))
    assert source.story.visible(BOB) == set()


def test_an_attachment_that_a_changed_letter_lacks_is_withdrawn(make_source, tmp_path: Path):
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "a.eml").write_bytes(letter(("one.txt", "The first result."), ("two.txt", "The second result.")))
    source = make_source("files", root=str(folder))
    source.run()

    (folder / "a.eml").write_bytes(letter(("one.txt", "The first result.")))
    source.run()

    assert source.keys() == ["a.eml", "a.eml#1/one.txt"]


def test_an_attachment_stays_while_its_letter_does(make_source, tmp_path: Path):
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "a.eml").write_bytes(letter(("one.txt", "The first result.")))
    source = make_source("files", root=str(folder))
    source.run()

    again = source.run()
    (folder / "a.eml").unlink()
    kept = source.keys()
    source.run()

    assert again.done == 0
    assert kept == ["a.eml", "a.eml#1/one.txt"]
    assert source.keys() == []


def test_a_file_that_was_only_touched_is_not_parsed_again(make_source, tmp_path: Path):
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.txt").write_text("The rope is steel.")
    source = make_source("files", root=str(folder))
    source.run()

    (folder / "a.txt").write_text("The rope is steel.")
    taken = source.run()

    assert (taken.unchanged, taken.parsed, taken.reused) == (1, 0, 0)


def test_a_document_that_goes_back_to_an_earlier_content_is_not_parsed_again(make_source, tmp_path: Path):
    folder = tmp_path / "pages"
    folder.mkdir()
    source = make_source("files", root=str(folder))
    for text in ("The rope is steel.", "The rope is nylon."):
        (folder / "a.txt").write_text(text)
        source.run()

    (folder / "a.txt").write_text("The rope is steel.")
    taken = source.run()

    assert (taken.parsed, taken.reused) == (0, 1)
    assert source.story.visible(ANN) == {"The rope is steel."}


def test_a_document_that_cannot_be_read_keeps_its_last_good_version_and_is_not_tried_before_it_changes(make_source, tmp_path: Path):
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.pdf").write_text("The rope is steel.")
    source = make_source("files", root=str(folder))
    source.run()

    (folder / "a.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)))
    first, second = source.run(), source.run()

    assert sum(first.rejected.values()) == 1
    assert second.done == 0
    assert source.story.visible(ANN) == {"The rope is steel."}
    [kept] = source.catalog.staging.quarantined("handbook")
    assert kept.reason.endswith(".")


def test_a_quarantined_document_is_tried_again_when_it_is_due(make_source, tmp_path: Path):
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.txt").write_text("The rope is steel.")
    source = make_source("files", root=str(folder))
    source.run()
    (folder / "a.txt").write_bytes(b"\x7fELF" + bytes(200))
    source.run()
    with source.catalog.database.write() as connection:
        connection.execute(update(quarantine).values(retryable=True, next_attempt_at="2020-01-01T00:00:00.000000Z"))

    taken = source.run()

    assert sum(taken.rejected.values()) == 1
    [kept] = source.catalog.staging.quarantined("handbook")
    assert kept.attempts == 2


@pytest.fixture
def pages(site: Site) -> Site:
    for name in ("rope", "winch"):
        body = f"<html><head><title>{name}</title></head><body><p>The {name} is made of steel.</p></body></html>".encode()
        site.pages[f"/{name}"] = Answer(200, body, {"Content-Type": "text/html", "ETag": f'"{name}-1"'})
    return site


def test_an_unchanged_page_is_asked_for_with_its_etag_and_not_parsed(make_source, pages: Site):
    source = make_source("web", urls=(f"{pages.url}/rope",))
    source.run()

    taken = source.run()

    assert (taken.unchanged, taken.parsed) == (1, 0)
    assert pages.requests[-1][1]["if-none-match"] == '"rope-1"'


def test_a_page_that_is_gone_is_withdrawn(make_source, pages: Site):
    source = make_source("web", urls=(f"{pages.url}/rope", f"{pages.url}/winch"))
    source.run()

    pages.pages["/winch"] = Answer(410)
    taken = source.run()

    assert taken.gone == 1
    assert source.keys() == [f"{pages.url}/rope"]


def test_a_page_that_fails_once_keeps_what_is_published_and_comes_back(make_source, pages: Site):
    source = make_source("web", urls=(f"{pages.url}/rope", f"{pages.url}/winch"))
    source.run()
    good = pages.pages["/winch"]

    pages.pages["/winch"] = Answer(503)
    failing = source.run()
    during = source.keys()
    pages.pages["/winch"] = good
    source.run()

    assert failing.rejected == {"fetch_failed": 1}
    assert during == source.keys() == [f"{pages.url}/rope", f"{pages.url}/winch"]
    assert source.catalog.staging.quarantined("handbook") == []


def test_a_site_that_is_down_fails_the_run_and_withdraws_nothing(make_source, site: Site):
    names = [f"page{n}" for n in range(MAX_UNAVAILABLE_IN_A_ROW + 1)]
    for name in names:
        site.pages[f"/{name}"] = Answer(200, f"<p>The {name} is made of steel.</p>".encode(), {"Content-Type": "text/html"})
    source = make_source("web", urls=tuple(f"{site.url}/{name}" for name in names))
    source.run()
    before = source.keys()

    for name in names:
        site.pages[f"/{name}"] = Answer(500)
    with pytest.raises(SourceUnavailable):
        source.run()

    assert source.keys() == before


def test_a_source_with_too_many_files_is_refused_by_name(make_source, tmp_path: Path, quick: Settings):
    folder = tmp_path / "pages"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.txt").write_text("Text.")
    source = make_source("files", root=str(folder))
    run = source.story.start()

    with pytest.raises(InvalidInput, match="2 files"):
        record_listing(connect(source.spec, quick).list(), source.catalog.listing, run, max_files=2)
