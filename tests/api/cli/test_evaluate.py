"""archivist eval: golden questions asked of an installation beside the API that owns its index, and what is kept of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.failures import INVALID
from api.cli.main import app
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.qdrant.ownership import Ownership
from retrieval.domain.audit import OPERATOR, AuditAction, AuditFilter
from retrieval.domain.ids import document_id
from retrieval.domain.permissions import NOBODY
from retrieval.settings import Settings
from tests.permissions.small_embedder import DIMENSIONS, SmallEmbedder
from tests.story import PUBLIC, Story, allow

pytestmark = pytest.mark.permissions

FILES = {
    "trains.md": ("Trains are booked by the office. Ask there.", PUBLIC),
    "salaries.md": ("Salaries are paid on Fridays. Only the board knows them.", allow("group:board")),
    "bids.md": ("Bids are opened on Mondays. Nobody is told.", NOBODY),
}
TRAINS = {"id": "trains", "question": "who books trains", "principal": "user:bob", "relevant": [{"source": "handbook", "key": "trains.md"}]}
SALARIES = {
    "id": "salaries",
    "question": "when are salaries paid",
    "principal": "user:ann",
    "relevant": [{"source": "handbook", "key": "salaries.md"}],
    "answer": "paid on  FRIDAYS",
    "tags": ["pay"],
}
HIDDEN = {**SALARIES, "id": "hidden", "principal": "user:bob"}
ABSENT = {**TRAINS, "id": "absent", "relevant": [{"source": "handbook", "key": "nowhere.md"}]}


@dataclass(frozen=True)
class Installation:
    """An installation with three documents, and a way to run commands on it."""

    directory: Path
    catalog: Catalog

    def archivist(self, *arguments: str, **environment: str) -> Result:
        variables = {"ARCHIVIST_DATA_DIRECTORY": str(self.directory), "COLUMNS": "200", "NO_COLOR": "1", **environment}
        return CliRunner().invoke(app, list(arguments), env=variables)

    def ask(self, name: str, *questions: dict[str, object], options: tuple[str, ...] = (), **environment: str) -> Result:
        path = self.directory / f"{name}.jsonl"
        path.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
        return self.archivist("eval", "run", "--golden", str(path), "--json", *options, **environment)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("installation")
    with pytest.MonkeyPatch.context() as patched:
        for module in ("retrieval.bootstrap.service", "api.cli.evaluating"):
            patched.setattr(f"{module}.open_embedder", lambda *_: SmallEmbedder())
        catalog = open_catalog(Settings(data_directory=directory))
        Story(catalog, model=SmallEmbedder().model, dimensions=DIMENSIONS).sync(FILES)
        catalog.directory.set_groups("user:ann", frozenset({"group:board"}))
        yield Installation(directory, catalog)
        catalog.close()


@pytest.fixture(scope="module")
def first(installation: Installation) -> Result:
    """Four questions, two of them mistaken, asked while something else owns the embedded index."""
    taken = Ownership.take(Settings(data_directory=installation.directory).index_directory)
    try:
        options = ("--html", str(installation.directory / "report.html"))
        return installation.ask("first", TRAINS, SALARIES, HIDDEN, ABSENT, options=options)
    finally:
        taken.release()


@pytest.fixture(scope="module")
def second(installation: Installation) -> Result:
    """The two sound questions, with other settings."""
    return installation.ask("second", SALARIES, TRAINS, ARCHIVIST_FUSION_LEXICAL_WEIGHT="0.0", ARCHIVIST_ANSWER_MIN_SUPPORT="1.0")


@pytest.fixture
def kept(first: Result) -> dict[str, Any]:
    (evaluation,) = json.loads(first.stdout)["evaluations"]
    return dict(evaluation)


def test_questions_are_asked_though_somebody_else_owns_the_index(installation, kept):
    assert (kept["collection"], kept["configuration"], kept["queries"]) == ("first", "default", 2)
    assert kept["figures"]["ndcg@10"] == 1.0
    assert kept["index_revision"] == installation.catalog.revision()
    assert not list(installation.directory.glob("private-index-*"))


def test_an_expected_answer_is_looked_for_in_the_quotes(kept, second):
    assert kept["figures"]["answer"] == 1.0
    assert json.loads(second.stdout)["evaluations"][0]["figures"]["answer"] == 0.0  # nothing reaches a support of 1


def test_a_document_that_the_asker_may_not_read_is_a_mistake_of_the_question(first):
    assert first.exit_code == 1
    assert {(one["place"], one["problem"]) for one in json.loads(first.stdout)["mistakes"]} == {
        ("line 3", "user:bob may not read it"),
        ("line 4", "there is no such document now"),
    }


def test_questions_that_are_all_mistaken_are_refused_before_anything_is_asked(installation):
    before = installation.catalog.evaluations.latest(count=100)

    result = installation.ask("mistaken", HIDDEN, ABSENT)

    assert result.exit_code == INVALID
    assert "line 1: relevant: user:bob may not read it" in result.stderr
    assert installation.catalog.evaluations.latest(count=100) == before


def test_every_reading_is_in_the_audit_log_as_the_operators_for_that_principal(installation, kept, second):
    read = installation.catalog.audit.read(OPERATOR, AuditFilter(action=AuditAction.RETRIEVE), limit=100)
    records = [record.fields for record in read]

    assert sorted((record["actor"], record["act_for"]) for record in records) == 2 * [("app:cli", "user:ann")] + 2 * [
        ("app:cli", "user:bob")
    ]


def test_of_a_question_is_kept_what_its_asker_may_read_and_nothing_else(installation, kept):
    queries = {one.asked_by: one for one in installation.catalog.evaluations.queries(kept["id"])}

    assert set(queries["user:bob"].found) == {document_id("handbook", "trains.md")}
    assert set(queries["user:ann"].found) == {document_id("handbook", key) for key in ("trains.md", "salaries.md")}


def test_two_runs_are_compared_question_by_question(installation, kept, second):
    other = json.loads(second.stdout)["evaluations"][0]["id"]

    compared = json.loads(installation.archivist("eval", "compare", kept["id"], other, "--json", "--metric", "answer").stdout)

    assert compared["settings"] == {"answer_min_support": [0.05, 1.0], "fusion_lexical_weight": [0.55, 0.0]}
    answered = compared["metrics"]["answer"]
    assert (answered["first"], answered["second"], answered["losses"], answered["p"]) == (1.0, 0.0, 1, 1.0)
    assert compared["queries"] == [{"id": "salaries", "text": "when are salaries paid", "first": 1.0, "second": 0.0}]
    table = installation.archivist("eval", "compare", kept["id"], other).stdout
    assert "fusion_lexical_weight" in table
    assert "ndcg@10" in table


def test_what_was_not_asked_the_same_is_not_compared(installation, kept):
    evaluations = installation.catalog.evaluations
    other = evaluations.get(kept["id"])
    evaluations.add(type(other)(**{**vars(other), "id": "ev_other", "questions_hash": "other"}), [])

    result = installation.archivist("eval", "compare", kept["id"], "ev_other")

    assert result.exit_code == INVALID
    assert "not asked the same questions" in result.stderr


def test_what_was_measured_is_listed_shown_and_forgotten(installation, kept):
    evaluations = installation.catalog.evaluations
    copy = evaluations.get(kept["id"])
    evaluations.add(type(copy)(**{**vars(copy), "id": "ev_copy"}), evaluations.queries(kept["id"]))

    assert kept["id"] in installation.archivist("eval", "list").stdout
    shown = json.loads(installation.archivist("eval", "show", "ev_copy", "--json").stdout)
    assert shown["tags"]["pay"]["queries"] == 1
    assert {one["id"] for one in shown["queries"]} == {"trains", "salaries"}
    assert "when are salaries paid" in installation.archivist("eval", "show", "ev_copy").stdout
    assert installation.archivist("eval", "show", "ev_copy", "--metric", "beauty").exit_code == INVALID
    assert installation.archivist("eval", "forget", "ev_copy").exit_code == 0
    assert installation.archivist("eval", "show", "ev_copy").exit_code == INVALID


def test_the_page_shows_what_was_asked(installation, kept):
    page = (installation.directory / "report.html").read_text(encoding="utf-8")

    assert "<h2>first</h2>" in page
    assert "2 queries" in page


def test_a_judged_collection_is_measured_and_kept(installation, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    rows = [{"_id": "d1", "text": "Trains are booked"}, {"_id": "d2", "text": "Parents take leave"}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "trains"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", encoding="utf-8")
    cache = {"ARCHIVIST_EVALUATION_CACHE_DIRECTORY": str(tmp_path / "cache")}
    command = ("eval", "run", "--collection")

    result = installation.archivist(*command, str(folder), "--json", ARCHIVIST_COHERE_API_KEY="", **cache)

    kept = json.loads(result.stdout)["evaluations"]
    assert {one["configuration"] for one in kept} >= {"lexical", "dense", "fused", "default"}
    assert len({one["run"] for one in kept}) == 1
    assert all(one["figures"]["ndcg@1"] == 1.0 for one in kept)
    assert installation.archivist(*command, str(folder), "--split", "half").exit_code == INVALID
    assert installation.archivist(*command, str(folder), "--peer", "elastic").exit_code == INVALID
    missing = installation.archivist(*command, str(tmp_path), **cache)
    assert missing.exit_code == INVALID
    assert "corpus.jsonl" in missing.stderr


def test_nothing_to_ask_is_refused(installation):
    assert installation.archivist("eval", "run").exit_code == INVALID
