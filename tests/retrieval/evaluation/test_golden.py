import json

import pytest

from retrieval.domain.errors import InvalidInput
from retrieval.domain.ids import document_id
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.evaluation.golden import read_golden
from retrieval.settings import Settings

YAML = """
- question: How many days may I work from abroad?
  principal: user:ann
  relevant:
    - {source: handbook, key: abroad.md}
    - {document: doc_b, grade: 3}
    - {citation: {document: doc_c, version: ver_1, quote: 20 days}, grade: 0}
  answer: 20 days
  tags: [hr, travel]
  groups: [group:staff]
- {question: "Who?", principal: "user:https://login.example|7f3a", relevant: [{document: doc_a}], id: who}
"""
SOUND = {"question": "Who?", "principal": "user:ann", "relevant": [{"document": "doc_a"}]}


@pytest.fixture
def written(tmp_path):
    def write(content: object, *, name: str = "golden.jsonl"):
        rows = content if isinstance(content, list) else [content]
        text = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_questions_are_read_with_who_asks_and_what_is_relevant(written):
    first, second = read_golden(written(YAML, name="golden.yaml"), Settings())

    assert first.principal == Principal("ann", groups=frozenset({"group:staff"}))
    assert first.relevant == {document_id("handbook", "abroad.md"): 1, "doc_b": 3, "doc_c": 0}
    assert (first.answer, first.tags, first.place) == ("20 days", ("hr", "travel"), "question 1")
    assert second.principal == Principal("7f3a", PrincipalKind.USER, "https://login.example")
    assert second.id == "who"


def test_a_list_and_a_mapping_with_questions_and_lines_of_json_are_read_alike(written):
    as_list = read_golden(written(f"- {json.dumps(SOUND)}", name="a.yaml"), Settings())
    as_mapping = read_golden(written(f"questions: [{json.dumps(SOUND)}]", name="b.yaml"), Settings())
    as_lines = read_golden(written([SOUND], name="c.jsonl"), Settings())

    assert as_list == as_mapping
    assert as_lines[0].id == as_list[0].id
    assert as_lines[0].place == "line 1"


def test_the_same_question_asked_by_somebody_else_is_another_question(written):
    ann, bob = read_golden(written([SOUND, {**SOUND, "principal": "user:bob"}]), Settings())

    assert ann.id != bob.id


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"principal": "ann"}, "line 2: principal", id="no subject"),
        pytest.param({"principal": "group:staff"}, "line 2: principal", id="a group asks nothing"),
        pytest.param({"principal": "everyone"}, "line 2: principal", id="everyone is nobody in particular"),
        pytest.param({"question": "  "}, "line 2: question", id="no question"),
        pytest.param({"question": "x" * 4097}, "line 2: question", id="too long a question"),
        pytest.param({"question": 7}, "line 2: question", id="a number"),
        pytest.param({"relevant": []}, "line 2: relevant", id="nothing relevant"),
        pytest.param({"relevant": [{"document": "doc_a", "grade": 0}]}, "line 2: relevant", id="nothing above 0"),
        pytest.param({"relevant": [{"document": "d"}] * 2}, "line 2: relevant", id="a document twice"),
        pytest.param({"relevant": [{"document": f"d{n}"} for n in range(4)]}, "line 2: relevant", id="too many documents"),
        pytest.param({"relevant": [{"source": "handbook"}]}, "line 2: relevant[0]", id="a source without a key"),
        pytest.param({"relevant": [{"document": "d", "source": "s", "key": "k"}]}, "line 2: relevant[0]", id="two names"),
        pytest.param({"relevant": [{"document": "d", "grade": -1}]}, "line 2: relevant[0].grade", id="a grade below 0"),
        pytest.param({"relevant": [{"document": "d", "grade": True}]}, "line 2: relevant[0].grade", id="a grade that is no number"),
        pytest.param({"tags": list("abc")}, "line 2: tags", id="too many tags"),
        pytest.param({"answer": "x" * 11}, "line 2: answer", id="too long an answer"),
        pytest.param({"groups": ["user:bob"]}, "line 2: groups", id="a user is no group"),
        pytest.param({"expected": "x"}, "line 2: expected", id="an unknown field"),
        pytest.param(SOUND, "line 2: id", id="the same question twice"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(written, changed, field):
    settings = Settings(evaluation_max_relevant=3, evaluation_max_tags=2, evaluation_max_answer_characters=10)

    with pytest.raises(InvalidInput) as refused:
        read_golden(written([SOUND, {**SOUND, **changed}]), settings)

    assert [problem.field for problem in refused.value.problems] == [field]


def test_every_question_is_looked_at_before_the_file_is_refused(written):
    with pytest.raises(InvalidInput) as refused:
        read_golden(written([{**SOUND, "principal": "x"}, SOUND, {**SOUND, "question": ""}]), Settings())

    assert [problem.field for problem in refused.value.problems] == ["line 1: principal", "line 3: question"]


@pytest.mark.parametrize(
    ("content", "name", "field"),
    [
        pytest.param("{", "a.jsonl", "line 1", id="no JSON"),
        pytest.param("a: [", "a.yaml", "line 1", id="no YAML"),
        pytest.param("questions: 7", "a.yaml", "questions", id="no list"),
        pytest.param("- 7", "a.yaml", "question 1", id="no mapping"),
        pytest.param("", "a.yaml", "file", id="empty"),
        pytest.param("\n" * 3, "a.jsonl", "file", id="blank lines"),
        pytest.param("- !!python/object/apply:os.system [id]", "a.yaml", "line 1", id="a constructor"),
        pytest.param("[" * 5_000, "a.jsonl", "line 1", id="deeply nested"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(written, content, name, field):
    with pytest.raises(InvalidInput) as refused:
        read_golden(written(content, name=name), Settings())

    assert refused.value.problems[0].field == field


def test_a_file_that_is_too_large_is_refused_with_the_limit_before_it_is_read(written):
    path = written([SOUND])
    size = path.stat().st_size

    assert read_golden(path, Settings(evaluation_max_file_bytes=size))
    with pytest.raises(InvalidInput, match=rf"file: is too large \(limit: {size - 1} bytes\)"):
        read_golden(path, Settings(evaluation_max_file_bytes=size - 1))


def test_too_many_questions_are_refused_with_the_limit(written):
    with pytest.raises(InvalidInput, match="limit: 1 questions"):
        read_golden(written([SOUND, SOUND]), Settings(evaluation_max_questions=1))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\xff")

    with pytest.raises(InvalidInput, match="UTF-8"):
        read_golden(tmp_path / "a.yaml", Settings())
