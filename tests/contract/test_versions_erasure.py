"""What is erased is nowhere any more: not in a row, not in a freed page, not in a blob, on SQLite and on PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.audit.signing import public_key
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import access_classes, document_versions, documents, mentions, tombstones
from retrieval.adapters.catalog.versions.reports import is_signed_by, read_report, signed, write_report
from retrieval.domain.erasure import ErasureKind, ErasureReport, ErasureRequest, hashed_id
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.evaluations import EvaluatedQuery
from tests.contract.test_evaluations import FIRST
from tests.story import ANN, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

SECRET = "zanzibarquux"
KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def blobs(tmp_path: Path) -> FsspecBlobs:
    return FsspecBlobs((tmp_path / "blobs").as_uri())


@pytest.fixture
def story(catalog: Catalog, blobs: FsspecBlobs) -> Story:
    """One document that has always said the secret, one that once did, one that never did; two of them in the graph."""
    story = Story(catalog)
    first = {
        f"{SECRET}.md": (f"Mail {SECRET}@example.org. Ask ACME-17.", PUBLIC),
        "once.md": (f"Once {SECRET}. Now not.", PUBLIC),
        "never.md": ("Never. Ask ACME-17.", PUBLIC),
    }
    run = story.sync(first)
    story.relate(run)
    later = first | {"once.md": ("Clean. Now not.", PUBLIC), f"{SECRET}.md": (f"Changed {SECRET}. Ask ACME-17.", allow("user:ann"))}
    run = story.sync(later)
    story.relate(run)
    for files in (first, later):
        for text, _ in files.values():
            blobs.put(text.encode())
    return story


def erase(story: Story, blobs: FsspecBlobs, **request: object) -> ErasureReport:
    asked = ErasureRequest(**({"kind": ErasureKind.PERSON, "reason": "asked for", "words": (SECRET.upper(),)} | request))
    report = story.catalog.erasure.erase(
        asked, by="user:dana", id_="era_1", also={}, sign=lambda each: signed(each, KEY), remove_content=blobs.remove
    )
    story.catalog.erasure.overwrite()
    return report


def traces(story: Story, tmp_path: Path) -> list[str]:
    """Where the secret still stands, in whatever spelling: every table of the catalog, and every byte of its files and of the blobs."""
    found = []
    with story.catalog.database.read() as connection:
        for table in access_classes.metadata.sorted_tables:
            found += [table.name for row in connection.execute(select(table)) if SECRET in repr(tuple(row)).lower()]
    for path in tmp_path.rglob("*"):
        if path.is_file() and SECRET.encode() in path.read_bytes().lower():
            found.append(str(path.relative_to(tmp_path)))
    return found


def test_a_person_is_nowhere_any_more(story: Story, blobs: FsspecBlobs, tmp_path: Path):
    story.catalog.evaluations.add(FIRST, [EvaluatedQuery("q1", f"Where is {SECRET}?", None, (), {}, ())])
    assert len(traces(story, tmp_path)) > 5
    planned = story.catalog.erasure.plan(ErasureRequest(kind=ErasureKind.PERSON, reason="asked for", words=(SECRET,)))

    report = erase(story, blobs)

    assert (planned.documents, planned.versions, planned.old_versions) == ({"handbook": 1}, 2, 1)
    assert traces(story, tmp_path) == []
    assert story.visible(ANN) == {"Clean.", " Now not.", "Never.", " Ask ACME-17."}
    assert report.removed["documents"] == 1
    assert report.removed["versions"] == 3
    assert report.removed["original contents"] == 3
    assert report.removed["evaluated questions"] == 1
    assert report.documents == (hashed_id(story.document(f"{SECRET}.md")),)
    assert list(story.catalog.erasure.reports()) == [report]


def test_a_run_that_finds_it_again_passes_it_by(story: Story, blobs: FsspecBlobs, tmp_path: Path):
    erase(story, blobs)

    story.sync({f"{SECRET}.md": (f"Mail {SECRET}.", PUBLIC), "once.md": ("Clean. Now not.", PUBLIC), "never.md": ("Never.", PUBLIC)})

    assert story.visible(ANN) == {"Clean.", " Now not.", "Never."}
    with story.catalog.database.read() as connection:
        assert connection.scalars(select(tombstones.c.document)).all() == [story.document(f"{SECRET}.md")]
        assert story.document(f"{SECRET}.md") not in connection.scalars(select(documents.c.id)).all()


def test_what_others_say_stays_in_the_graph_and_counts_stay_right(story: Story, blobs: FsspecBlobs):
    erase(story, blobs)

    with story.catalog.database.read() as connection:
        assert connection.scalars(select(mentions.c.passage)).all() != []
        counted = sum(connection.scalars(select(access_classes.c.passages)))
    with story.feed.snapshot() as (_, held):
        assert sum(len(document.passages) for document in held) == counted == 4


def test_indexes_are_told_that_it_holds_nothing(story: Story, blobs: FsspecBlobs):
    document, before = story.document(f"{SECRET}.md"), story.feed.revision()

    erase(story, blobs)

    assert document in {change.document for change in story.feed.changes(before, limit=100)}
    assert story.feed.indexed_documents([document])[0].passages == ()


def test_what_was_taken_in_and_never_published_goes_too(story: Story, blobs: FsspecBlobs, tmp_path: Path):
    files = {"never.md": (f"Hidden {SECRET}.", PUBLIC)}
    run = story.start()
    story.record(run, files)
    story.stage(run, files)
    story.embed()
    story.sync({"never.md": ("Never.", PUBLIC)})

    erase(story, blobs)

    assert traces(story, tmp_path) == []


def test_a_whole_source_goes_and_stays_closed(story: Story, blobs: FsspecBlobs, tmp_path: Path):
    report = erase(story, blobs, kind=ErasureKind.SOURCE, source="handbook", words=())

    assert report.removed["documents"] == 3
    assert traces(story, tmp_path) == []
    assert story.visible(ANN) == set()
    with pytest.raises(Conflict):
        story.start()


def test_one_document_goes_with_its_history(story: Story, blobs: FsspecBlobs):
    erase(story, blobs, kind=ErasureKind.DOCUMENT, source="handbook", document=story.document("once.md"), words=())

    with story.catalog.database.read() as connection:
        assert (
            connection.scalars(select(document_versions.c.id).where(document_versions.c.document == story.document("once.md"))).all() == []
        )


def test_a_report_is_verified_by_its_public_key_and_by_no_other(story: Story, blobs: FsspecBlobs, tmp_path: Path):
    report = erase(story, blobs)

    read = read_report(write_report(report, tmp_path / "erasures"))

    assert read == report
    assert is_signed_by(read, public_key(KEY))
    assert not is_signed_by(read, public_key(Ed25519PrivateKey.generate()))
    assert not is_signed_by(replace(read, removed={"documents": 0}), public_key(KEY))
    assert not is_signed_by(replace(read, signature="00"), public_key(KEY))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"words": ()}, "words"),
        ({"words": ("ab",)}, "words"),
        ({"subject": "ann"}, "subject"),
        ({"kind": ErasureKind.SOURCE}, "source"),
        ({"kind": ErasureKind.SOURCE, "source": "nothing"}, "source"),
        ({"kind": ErasureKind.DOCUMENT, "source": "handbook"}, "document"),
        ({"kind": ErasureKind.DOCUMENT, "source": "handbook", "document": "doc_x"}, "document"),
    ],
)
def test_what_cannot_be_is_named(story: Story, blobs: FsspecBlobs, request_: dict[str, object], field: str):
    with pytest.raises(InvalidInput) as refused:
        erase(story, blobs, **request_)

    assert refused.value.problems[0].field == field
