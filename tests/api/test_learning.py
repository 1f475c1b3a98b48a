"""What people teach over HTTP: a reviewed answer given again, feedback on one's own answers alone, gaps for owners alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from retrieval.domain.answers import Citation, Reason
from retrieval.domain.audit import AuditFilter
from retrieval.domain.clock import SystemClock
from retrieval.domain.escalations import Escalation, EscalationDraft
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Amendment, Decision, Rejection, SubmittedCitation, SubmittedSentence
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.test_lists import credential

QUESTION = "When are travel expenses paid?"
RITA = Principal("rita")
UNSURE = (Reason.LOW_CONFIDENCE,)
HIDDEN = "What is the merger Nightingale?"


@pytest.fixture
def world(world: World) -> World:
    """In the catalog's own time, with short notes."""
    world.clock.at = SystemClock().now()
    world.settings = world.settings.model_copy(update={"feedback_max_note_characters": 100})
    return world


@pytest.fixture
def rita(world: World) -> dict[str, str]:
    return credential(world, RITA, Role.REVIEWER)


@pytest.fixture
def dana(world: World) -> dict[str, str]:
    """Owns the handbook, and sits on no board."""
    return credential(world, Principal("dana"), Role.DATA_OWNER)


def ask(api: TestClient, headers: Mapping[str, str], question: str = QUESTION) -> dict[str, object]:
    return api.post("/answer", json={"query": question}, headers=headers).json()


def say(api: TestClient, headers: Mapping[str, str], answer: object, kind: str, **options: object) -> Response:
    return api.post("/feedback", json={"answer": answer, "kind": kind, **options}, headers=headers)


def first_sentence(world: World, key: str, reader: Principal) -> SubmittedSentence:
    passage = next(p for p in world.story.gated(reader).readable if p.document == world.document(key) and p.ordinal == 0)
    citation = Citation.of(passage)
    return SubmittedSentence(citation.quote, (SubmittedCitation.of(citation),))


def decide(world: World, escalation: Escalation, decision: Decision, reviewer: Principal = RITA) -> None:
    claimed = world.reviews.claim(reviewer, escalation.id, expected=escalation.version)
    world.reviews.decide(reviewer, escalation.id, decision, expected=claimed.version)


def reviewed(world: World, asker: Principal, question: str, key: str, *, reviewer: Principal = RITA, is_curated: bool = True) -> str:
    """Asked, answered with the document's first sentence, learned. The escalation's id."""
    escalation = world.escalations.open(asker, EscalationDraft(question, UNSURE))
    decide(world, escalation, Decision(Amendment((first_sentence(world, key, reviewer),)), is_curated=is_curated), reviewer)
    world.learning.upkeep()
    return escalation.id


def test_a_reviewed_answer_is_given_to_the_next_who_asks_the_same(api: TestClient, world: World, ann: dict[str, str]):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")

    answered = ask(api, ann, "when are travel expenses paid")

    assert answered["outcome"] == "answered"
    assert answered["answer"] == "Travel expenses are paid within 14 days."
    assert str(answered["curated"]).startswith("cur_")
    assert [citation["document"] for citation in answered["citations"]] == [world.document("expenses.txt")]


def test_a_reviewed_answer_is_streamed_whole(api: TestClient, world: World, ann: dict[str, str]):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")

    streamed = api.post("/answer/stream", json={"query": QUESTION}, headers=ann).text

    assert [line for line in streamed.splitlines() if line.startswith("event: ")] == ["event: answer"]
    assert '"curated":"cur_' in streamed


def test_a_reviewed_answer_stands_beside_hits_where_it_is_asked_for(
    api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str]
):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    board = Principal("rita", groups=frozenset({"group:board"}))
    reviewed(world, replace(board, id="cyd"), HIDDEN, "nightingale.txt", reviewer=board)

    def found(headers: Mapping[str, str], question: str, **options: object) -> object:
        said = api.post("/retrieve", json={"query": question, **options}, headers=headers).json().get("curated")
        return None if said is None else [sentence["text"] for sentence in said["sentences"]]

    assert found(ann, QUESTION, curated=True) == ["Travel expenses are paid within 14 days."]
    assert found(ann, QUESTION) is None
    assert found(bea, HIDDEN, curated=True) is not None
    assert found(ann, HIDDEN, curated=True) is None


def test_one_that_was_not_ticked_is_for_its_asker_alone(api: TestClient, world: World, ann: dict[str, str]):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt", is_curated=False)

    assert ask(api, ann)["curated"] is None


def test_what_stands_on_a_hidden_document_is_given_to_those_alone_who_read_it(
    api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str]
):
    board = Principal("rita", groups=frozenset({"group:board"}))
    before = ask(api, ann, HIDDEN)
    reviewed(world, replace(board, id="cyd"), HIDDEN, "nightingale.txt", reviewer=board)

    after = ask(api, ann, HIDDEN)

    assert str(ask(api, bea, HIDDEN)["curated"]).startswith("cur_")
    for told in (before, after):
        del told["request_id"], told["consistency_token"]
    assert after == before


def test_who_was_given_an_answer_says_what_it_was_worth_and_changes_their_mind(api: TestClient, world: World, ann: dict[str, str]):
    answer = ask(api, ann)["request_id"]

    first = say(api, ann, answer, "helpful")
    again = say(api, ann, answer, "helpful")
    changed = say(api, ann, answer, "outdated", note="It is 10 days now.")
    left = api.delete(f"/feedback/{answer}", params={"kind": "outdated"}, headers=ann)

    assert [each["kind"] for each in first.json()["feedback"]] == ["helpful"]
    assert [each["kind"] for each in again.json()["feedback"]] == ["helpful"]
    assert [each["kind"] for each in changed.json()["feedback"]] == ["outdated"]
    assert "10 days" not in changed.text
    assert left.json()["feedback"] == []


def test_feedback_on_anothers_answer_is_the_404_of_one_that_never_was(
    api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str]
):
    answer = ask(api, ann)["request_id"]

    refused = [say(api, bea, answer, "wrong"), say(api, bea, "0123456789abcdef", "wrong"), say(api, ann, "x" * 90, "wrong")]

    assert {response.status_code for response in refused} == {404}
    assert len({response.text.replace(response.json()["request_id"], "") for response in refused}) == 1


def test_what_is_wrong_with_feedback_is_told_by_field(api: TestClient, world: World, ann: dict[str, str]):
    answer = ask(api, ann)["request_id"]

    for options, field in (({"citation": "cit_other"}, "citation"), ({"note": "x" * 101}, "note")):
        refused = say(api, ann, answer, "citation_wrong", **options)
        assert refused.status_code == 422, refused.text
        assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_a_document_that_is_called_outdated_is_told_to_its_owner_with_the_note_and_without_who_said_so(
    api: TestClient, world: World, ann: dict[str, str], dana: dict[str, str]
):
    answered = ask(api, ann)
    say(api, ann, answered["request_id"], "outdated", citation=answered["citations"][0]["id"], note="=10 days now")

    listed = api.get("/gaps", headers=dana)

    [gap] = listed.json()["gaps"]
    assert (gap["source"], gap["kind"], gap["document"], gap["occasions"]) == ("handbook", "outdated", world.document("expenses.txt"), 1)
    assert gap["notes"] == ["=10 days now"]
    assert "ann" not in listed.text
    assert api.get("/gaps", headers=credential(world, Principal("eve"), Role.DATA_OWNER)).json()["gaps"] == []


def test_a_rejected_questions_words_are_shown_when_enough_people_asked_it(api: TestClient, world: World, dana: dict[str, str]):
    def groups() -> list[tuple[object, object, object]]:
        listed = api.get("/gaps", headers=dana).json()["gaps"]
        return [(gap["kind"], gap["occasions"], gap["question"]) for gap in listed]

    question = "How does one rent a bicycle abroad?"
    for number, name in enumerate(("ann", "bob", "cyd"), 1):
        draft = EscalationDraft(question, UNSURE, sources=("handbook",))
        decide(world, world.escalations.open(Principal(name), draft), Decision(Rejection("nothing says so")))
        world.learning.upkeep()
        if number < 3:
            assert groups() == [("rejected", number, None)]

    assert groups() == [("rejected", 3, question)]


def test_a_marked_gap_is_shown_at_once_with_the_reviewers_note(api: TestClient, world: World, dana: dict[str, str]):
    draft = EscalationDraft("Who repairs bicycles?", UNSURE, sources=("handbook",))
    decide(world, world.escalations.open(Principal("ann"), draft), Decision(Rejection("nothing"), knowledge_gap="a page on bicycles"))
    world.learning.upkeep()

    [gap] = api.get("/gaps", headers=dana).json()["gaps"]
    assert (gap["kind"], gap["question"], gap["notes"]) == ("marked", "Who repairs bicycles?", ["a page on bicycles"])
    assert api.get("/gaps", params={"month": "2020-01"}, headers=dana).json()["gaps"] == []


def test_enough_people_who_call_a_curated_answer_wrong_have_it_suspended_and_looked_at_again(
    api: TestClient, world: World, rita: dict[str, str]
):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    people = [{"Authorization": f"Bearer {world.key(name)}"} for name in ("ann", "bob", "dan")]
    given = [ask(api, person)["request_id"] for person in people]

    for person, answer in list(zip(people, given, strict=True))[:2]:
        say(api, person, answer, "wrong")
    assert ask(api, people[0])["curated"] is not None
    say(api, people[2], given[2], "wrong")

    assert ask(api, people[0])["curated"] is None
    [curated] = api.get("/curated", headers=rita).json()["curated"]
    assert (curated["state"], curated["said_wrong"]) == ("suspended", 3)
    [pending] = world.escalations.mine(Principal("dan"), after="", count=9)
    assert pending.question == QUESTION
    renewed = api.post(f"/curated/{curated['id']}/renew", json={"days": 30, "expected": curated["number"]}, headers=rita)
    assert renewed.json()["state"] == "active"
    assert ask(api, people[0])["curated"] == curated["id"]


def test_reviewers_and_owners_see_and_change_those_alone_that_they_may_read(api: TestClient, world: World, dana: dict[str, str]):
    board = Principal("rita", groups=frozenset({"group:board"}))
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    reviewed(world, replace(board, id="cyd"), HIDDEN, "nightingale.txt", reviewer=board)
    outsider = credential(world, Principal("oda"), Role.REVIEWER)
    world.catalog.directory.set_groups("user:bob", ["group:board"])
    insider = credential(world, Principal("bob"), Role.REVIEWER)
    stranger = credential(world, Principal("eve"), Role.DATA_OWNER)

    def listed(headers: Mapping[str, str]) -> set[str]:
        return {each["question"] for each in api.get("/curated", headers=headers).json()["curated"]}

    assert listed(insider) == {QUESTION, HIDDEN}
    assert listed(outsider) == listed(dana) == {QUESTION}
    assert listed(stranger) == set()
    ids = {each["question"]: each["id"] for each in api.get("/curated", headers=insider).json()["curated"]}
    refused = [
        api.post(f"/curated/{ids[HIDDEN]}/retire", json={}, headers=outsider),
        api.post("/curated/cur_0123456789abcdef01234567/retire", json={}, headers=outsider),
        api.post(f"/curated/{ids[QUESTION]}/retire", json={}, headers=stranger),
    ]
    assert {response.status_code for response in refused} == {404}
    assert len({response.text.replace(response.json()["request_id"], "") for response in refused}) == 1
    assert api.post(f"/curated/{ids[QUESTION]}/retire", json={"expected": 9}, headers=dana).status_code == 409
    assert api.post(f"/curated/{ids[QUESTION]}/retire", json={}, headers=dana).json()["state"] == "retired"


def test_a_paraphrase_finds_it_and_an_expired_one_is_given_no_more(
    api: TestClient, world: World, ann: dict[str, str], rita: dict[str, str]
):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    [curated] = api.get("/curated", headers=rita).json()["curated"]
    other = "When is the money for my trip back?"

    api.put(f"/curated/{curated['id']}/paraphrases", json={"paraphrases": [other]}, headers=rita)
    world.learning.upkeep()
    assert ask(api, ann, other)["curated"] == curated["id"]
    world.clock.at += timedelta(days=world.settings.curated_days)

    assert ask(api, ann, other)["curated"] is None
    assert [each["state"] for each in api.get("/curated", headers=rita).json()["curated"]] == ["expired"]


def test_what_was_shown_of_curated_answers_is_recorded(api: TestClient, world: World, rita: dict[str, str]):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    api.get("/curated", headers=rita)

    [newest, *_] = world.catalog.audit.read(RITA, AuditFilter(document=world.document("expenses.txt"), shown_only=True), limit=1)

    assert (newest.fields["action"], newest.fields["actor"]) == ("curated.read", "user:rita")


def test_learning_again_from_the_same_decisions_makes_nothing_twice(api: TestClient, world: World, rita: dict[str, str]):
    reviewed(world, Principal("cyd"), QUESTION, "expenses.txt")
    [curated] = api.get("/curated", headers=rita).json()["curated"]
    api.post(f"/curated/{curated['id']}/retire", json={}, headers=rita)

    for _ in range(2):
        world.learning.upkeep()

    assert [each["state"] for each in api.get("/curated", headers=rita).json()["curated"]] == ["retired"]
