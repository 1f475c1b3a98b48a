"""What reviewers decided, exported as golden questions that `archivist eval run` reads, and the other commands of learning."""

import csv
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Citation, Reason
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.escalations import EscalationDraft
from retrieval.domain.gaps import Gap, GapKind
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Amendment, Decision, Rejection, SubmittedCitation, SubmittedSentence
from retrieval.evaluation.asking import sift
from retrieval.evaluation.golden import read_golden
from retrieval.evaluation.golden_export import as_yaml, golden_questions
from retrieval.ports.learning import Lesson
from retrieval.services import Services
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist
from tests.story import ANN, PUBLIC, Story

FILES = {"leave.md": ("Leave is 30 days: «ask». Ask early.", PUBLIC), "pay.md": ("Pay comes on the 25th. Always.", PUBLIC)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=tmp_path)


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    catalog = open_catalog(settings)
    Story(catalog).sync(FILES)
    yield catalog
    catalog.close()


def decide(catalog: Catalog, settings: Settings, asker: Principal, question: str, *keys: str) -> str:
    """Answered with the first sentence of each document; without any, rejected. The escalation's id."""
    story = Story(catalog, runs=1)
    services = Services(settings=settings, catalog=catalog, knowledge=None)  # type: ignore[arg-type]
    opened = services.escalations.open(asker, EscalationDraft(question, (Reason.LOW_CONFIDENCE,), sources=("handbook",)))
    rita = Principal("rita")
    claimed = services.reviews.claim(rita, opened.id, expected=1)
    first = {passage.document: Citation.of(passage) for passage in story.gated(ANN).readable if passage.ordinal == 0}
    quoted = [first[story.document(key)] for key in keys]
    sentences = tuple(SubmittedSentence(citation.quote, (SubmittedCitation.of(citation),)) for citation in quoted)
    decision = Decision(Amendment(sentences) if keys else Rejection("nothing says so"))
    services.reviews.decide(rita, opened.id, decision, expected=claimed.version)
    return opened.id


def test_reviewed_questions_are_read_back_as_golden_ones(catalog: Catalog, settings: Settings, tmp_path: Path):
    bea = Principal("bea", groups=frozenset({"group:https://login.example|7f3a"}))
    first = decide(catalog, settings, ANN, 'How long: is leave? - #1 "x" ünï\n', "leave.md")
    second = decide(catalog, settings, bea, "When is pay, and leave?", "pay.md", "leave.md")
    decide(catalog, settings, ANN, "What of lunch?")
    file = tmp_path / "reviewed.yaml"

    file.write_text(as_yaml(golden_questions(catalog.escalations)), encoding="utf-8")

    read = {question.id: question for question in read_golden(file, settings)}
    assert set(read) == {first, second}
    assert read[first].text == 'How long: is leave? - #1 "x" ünï\n'
    assert (read[first].principal, read[first].answer) == (ANN, "Leave is 30 days: «ask».")
    story = Story(catalog, runs=1)
    assert read[second].relevant == {story.document("pay.md"): 1, story.document("leave.md"): 1}
    assert read[second].principal == bea
    sound, mistakes = sift(list(read.values()), catalog.documents, catalog.evaluations)
    assert (len(sound), mistakes) == (2, [])


def test_of_a_question_asked_twice_the_latest_decision_counts(catalog: Catalog, settings: Settings):
    decide(catalog, settings, ANN, "How long is leave?", "pay.md")
    latest = decide(catalog, settings, ANN, "how long is  leave", "leave.md")
    others = decide(catalog, settings, Principal("bob"), "How long is leave?", "leave.md")

    assert [row["id"] for row in golden_questions(catalog.escalations)] == [latest, others]


def test_the_command_writes_a_file_that_others_cannot_read_and_is_recorded(
    catalog: Catalog, settings: Settings, archivist: Archivist, tmp_path: Path
):
    decide(catalog, settings, ANN, "How long is leave?", "leave.md")
    file = tmp_path / "reviewed.yaml"

    result = archivist("eval", "golden", str(file))

    assert result.exit_code == 0, result.output
    assert len(read_golden(file, settings)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert catalog.audit.read(ANN, AuditFilter(action=AuditAction.GOLDEN_EXPORTED), limit=9)[0].fields["details"] == {"questions": 1}
    assert archivist("eval", "golden", str(file)).exit_code != 0


def test_gaps_are_printed_for_scripts_and_for_spreadsheets_that_compute_nothing(catalog: Catalog, archivist: Archivist):
    now, note = catalog.database.clock.now(), '=HYPERLINK("http://evil.example")'
    gaps = [
        Gap("handbook", GapKind.OUTDATED, "r1", now, "user:ann", note=note, document="doc_1"),
        Gap("handbook", GapKind.UNANSWERED, "r2", now, "user:ann", question="@SUM(A1) of the secret merger?"),
        Gap("", GapKind.MARKED, "r3", now, "user:ann", question="+1 for bicycles?"),
    ]
    catalog.learning.lessons.learn([Lesson(None, tuple(gaps))], expires_at=now, progress="")

    as_json = json.loads(archivist("gaps", "--json").stdout)
    as_csv = archivist("gaps", "--csv").stdout

    assert [(each["source"], each["kind"], each["question"]) for each in as_json] == [
        ("", "marked", "+1 for bicycles?"),
        ("handbook", "outdated", None),
        ("handbook", "unanswered", None),
    ]
    rows = list(csv.reader(io.StringIO(as_csv.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}"))))
    assert len(rows) == 4
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "merger" not in as_csv
    assert "ann" not in as_csv


def test_a_forgotten_persons_questions_are_gone_and_stay_gone(catalog: Catalog, settings: Settings, archivist: Archivist):
    decide(catalog, settings, ANN, "How long is leave?", "leave.md")

    result = archivist("forget", "user:ann", "--yes")

    assert result.exit_code == 0, result.output
    assert golden_questions(catalog.escalations) == []
    assert archivist("forget", "nobody at all", "--yes").exit_code == 2
