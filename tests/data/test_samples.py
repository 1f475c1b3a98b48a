"""The sample company is complete, real and consistent: formats, quotes, and readers judged by code that the product does not share."""

import zipfile
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import pypdfium2
import pytest
import yaml

from retrieval.domain.ids import document_id
from retrieval.domain.permissions import check_subject
from retrieval.domain.sources import spec_from_json
from retrieval.evaluation.golden import read_golden
from retrieval.settings import Settings
from tests.data.company import COMPANY, DATA, DOCUMENTS, PEOPLE, SAMPLES, SOURCES, keys_of, known_subjects, policy_of, readers_of
from tests.data.extraction import text_of

BROKEN = {("engineering", "field/gauge-readings-2019.xlsx"), ("finance", "contracts/pension-trustee-letter.pdf")}
SCANNED = ("engineering", "field/kettle-mill-visit-1998.pdf")
UNREADABLE = ("people", "inbox/reference-letter-unfiled.txt")

QUESTIONS: list[dict[str, Any]] = yaml.safe_load((SAMPLES / "questions.yaml").read_text(encoding="utf-8"))
ANSWERED = [question for question in QUESTIONS if question["document"]]


def test_golden_questions_are_those_with_an_answer_each_asked_by_one_who_may_read_it() -> None:
    by_id = {question["id"]: question for question in ANSWERED}
    golden = read_golden(SAMPLES / "golden.yaml", Settings())

    assert len(golden) >= 45
    for asked in golden:
        question = by_id[asked.id]
        assert asked.text == question["question"]
        assert asked.principal.id in question["readers"]
        assert asked.relevant == {document_id(question["source"], question["document"]): 1}


def test_there_are_enough_documents_in_every_common_format() -> None:
    formats = Counter(PurePosixPath(key).suffix for _, key in DOCUMENTS)

    assert sum(formats.values()) >= 60
    assert len(formats) == 10
    assert all(formats[suffix] >= 3 for suffix in (".pdf", ".docx", ".pptx", ".xlsx", ".html", ".md", ".eml", ".txt", ".csv"))


def test_everything_together_is_smaller_than_four_megabytes() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 4_000_000


def test_every_source_is_a_valid_spec_with_a_folder() -> None:
    specs = [spec_from_json(source) for source in SOURCES]

    assert [spec.id for spec in specs] == ["handbook", "engineering", "finance", "people"]
    assert all((SAMPLES / str(spec.location["root"])).is_dir() for spec in specs)


def test_people_and_groups_name_each_other() -> None:
    groups = {group["id"]: set(group["members"]) for group in COMPANY["groups"]}

    for person in COMPANY["people"]:
        assert {name for name, members in groups.items() if f"user:{person['id']}" in members} == set(person["groups"])
    assert {member for members in groups.values() for member in members} <= known_subjects()


def test_every_permission_names_a_subject_of_the_company() -> None:
    named = {subject for source in SOURCES for key in keys_of(source) for side in policy_of(source, key) for subject in side}

    assert {check_subject(subject) for subject in named} <= known_subjects()


@pytest.mark.parametrize(("source", "key"), [pytest.param(*document, id="/".join(document)) for document in DOCUMENTS])
def test_a_document_opens_and_has_substance(source: str, key: str) -> None:
    if (source, key) in BROKEN | {SCANNED}:
        return

    words = text_of(source, key).split()

    assert len(words) >= 50


def test_the_scanned_page_is_only_a_picture() -> None:
    assert text_of(*SCANNED) == ""


@pytest.mark.parametrize(
    ("document", "error"),
    [
        pytest.param(("engineering", "field/gauge-readings-2019.xlsx"), zipfile.BadZipFile, id="cut short"),
        pytest.param(("finance", "contracts/pension-trustee-letter.pdf"), pypdfium2.PdfiumError, id="password"),
    ],
)
def test_the_two_broken_files_cannot_be_opened(document: tuple[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        text_of(*document)


def test_several_pdfs_have_more_than_one_page() -> None:
    pages = [len(pypdfium2.PdfDocument(path)) for path in SAMPLES.rglob("*.pdf") if path.name != "pension-trustee-letter.pdf"]

    assert sum(count >= 2 for count in pages) >= 8


def test_exactly_one_document_has_no_permission() -> None:
    unreadable = [document for document in DOCUMENTS if not readers_of(*document)]

    assert unreadable == [UNREADABLE]


def test_the_excluded_draft_is_no_document() -> None:
    assert (SAMPLES / "handbook/drafts/travel-policy-2027-draft.md").exists()
    assert not [key for _, key in DOCUMENTS if "drafts" in key]


def test_there_are_enough_questions_with_and_without_an_answer() -> None:
    ids = [question["id"] for question in QUESTIONS]

    assert len(set(ids)) == len(ids) >= 30
    assert 4 <= len(QUESTIONS) - len(ANSWERED) <= 6


@pytest.mark.parametrize("question", [pytest.param(question, id=question["id"]) for question in ANSWERED])
def test_the_quote_stands_in_its_document(question: dict[str, Any]) -> None:
    if question.get("needs_ocr"):
        body = (DATA / "samples_text" / question["source"] / f"{question['document']}.md").read_text(encoding="utf-8")
        assert question["passage"] in " ".join(body.split())
        return

    text = text_of(question["source"], question["document"], question.get("attachment"))

    assert question["passage"] in text


@pytest.mark.permissions
@pytest.mark.parametrize("question", [pytest.param(question, id=question["id"]) for question in ANSWERED])
def test_the_stated_readers_are_those_whom_the_permissions_allow(question: dict[str, Any]) -> None:
    readers = readers_of(question["source"], question["document"])

    assert set(question["readers"]) == readers
    assert set(question["not_readers"]) == PEOPLE - readers


@pytest.mark.permissions
def test_the_demonstration_shows_both_one_and_none() -> None:
    pair = {"mara", "ines"}

    shown = [pair & set(question["readers"]) for question in QUESTIONS if question.get("demo")]

    assert shown == [pair, {"mara"}, set()]


@pytest.mark.permissions
def test_ines_lacks_the_whole_of_finance_and_mara_little() -> None:
    finance = [key for source, key in DOCUMENTS if source == "finance"]
    hidden_from_mara = [document for document in DOCUMENTS if "mara" not in readers_of(*document)]

    assert not [key for key in finance if "ines" in readers_of("finance", key)]
    assert len(hidden_from_mara) <= len(DOCUMENTS) // 6
