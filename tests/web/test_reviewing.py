"""Reviewing, page by page, without scripts."""

import csv
import io
import re

import pytest

from retrieval.domain.answers import Reason
from retrieval.domain.escalations import Escalation, EscalationState
from retrieval.domain.permissions import EVERYONE, Principal
from retrieval.domain.roles import Role
from tests.api.conftest import FILES, World
from tests.api.identity.conftest import configure
from tests.story import allow
from tests.web.desk import ORIGIN, QUESTION, Browser, asks, later, signed_in

pytestmark = pytest.mark.permissions

DANA = Principal("dana")
SENTENCE = "Everybody may work from abroad for 30 days."


@pytest.fixture
def dana(world: World) -> Browser:
    """Owns the handbook, and so reviews what its documents leave open."""
    return signed_in(world, "user:dana", Role.USER, Role.REVIEWER)


@pytest.fixture
def asked(world: World) -> Escalation:
    return asks(world)


def claimed(at: Browser, escalation: Escalation) -> str:
    """The item's address, once it is the reviewer's."""
    address = f"/console/reviews/{escalation.id}"
    at.open(address)
    assert at.send(f"{address}/claim").status_code == 200
    return address


def test_the_question_comes_first_then_the_evidence_and_only_then_the_draft(dana: Browser, asked: Escalation):
    claimed(dana, asked)

    page = dana.page.text
    in_order = (f"{QUESTION}</h1>", ">Evidence</h2>", "<mark>Everybody may work", "What the service would have", "Decide</h2>")
    places = [page.index(said) for said in in_order]
    assert places == sorted(places)
    assert "Rather right than wrong: 62 %, where 90 % was needed." in dana.text
    assert re.search(r"<dt>lexical</dt><dd>\d", page)
    assert "agreement of legs" in page


def test_an_approved_draft_is_what_the_asker_is_told(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    dana.send(f"{address}/approve")
    assert "Your decision has been kept." in dana.text
    ann = signed_in(world, "user:ann")
    ann.open(f"/console/questions/{asked.id}")

    assert "Answered by a person" in ann.text
    assert SENTENCE in ann.text


def test_an_amended_answer_stands_on_the_quotes_that_were_chosen(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    quotes = dict(re.findall(r'name="cites-0" value="([^"]+)"[^>]*><span><b>([\d.]+)</b>', dana.page.text))
    keys = {label: key for key, label in quotes.items()}
    fields = {"text": ["Thirty days, and your manager has to agree.", ""], "cites-0": [keys["1.1"], keys["4.1"]]}
    dana.send(f"{address}/answer", fields)
    assert "Your decision has been kept." in dana.text

    told = world.escalations.poll(Principal("ann"), asked.id)
    assert [sentence.text for sentence in told.sentences] == ["Thirty days, and your manager has to agree."]
    assert {citation.quote for citation in told.citations} == {SENTENCE, "Ask your manager first."}


def test_what_no_document_says_needs_the_reviewers_word_for_it(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    response = dana.send(f"{address}/answer", {"text": ["It depends on the country.", ""]})
    assert response.status_code == 422
    assert "It depends on the country.</textarea>" in response.text, "what was written is still there"

    dana.send(f"{address}/answer", {"text": ["It depends on the country.", ""], "own_knowledge": "yes"})
    assert "Decided: own knowledge" in dana.text


def test_a_rejection_needs_its_reason_and_the_asker_is_not_told_it(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    assert dana.send(f"{address}/reject").status_code == 422

    dana.send(f"{address}/reject", {"reason": "Payroll secrets", "knowledge_gap": "Say how it is for contractors"})
    assert "Decided: rejected" in dana.text
    assert "Knowledge gap: Say how it is for contractors" in dana.text
    ann = signed_in(world, "user:ann")
    ann.open(f"/console/questions/{asked.id}")
    assert "A person found no answer" in ann.text
    assert "Payroll" not in ann.text


def test_quotes_that_are_not_shown_any_more_are_not_cited(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    key = re.findall(r'name="cites-0" value="([^"]+)"', dana.page.text)[0]
    fields = dana.hidden(f"{address}/answer") | {"text": [SENTENCE], "cites-0": [key]}
    world.story.sync({**FILES, "travel.txt": ("Nobody may work from abroad. Ask your manager first.", allow(EVERYONE))})
    response = dana.send(f"{address}/answer", fields)

    assert response.status_code == 422
    assert "not shown any more" in dana.text
    assert world.reviews.item(DANA, asked.id).entry.state is EscalationState.CLAIMED


def test_one_more_sentence_and_a_longer_lease_leave_what_was_written(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    dana.send(f"{address}/rows", {"text": ["One.", "Two."], "reason": "Because."})
    assert dana.page.text.count("<legend>") == 3
    later(world, minutes=20)
    dana.send(f"{address}/renew", {"text": ["One.", "Two.", "Three."], "reason": "Because."})

    assert re.findall(r">([^<]+)</textarea>", dana.page.text) == ["One.", "Two.", "Three.", "Because."]
    assert "30 minutes from now" in dana.text
    dana.send(f"{address}/approve")
    assert "Your decision has been kept." in dana.text, "the form knows of the longer lease"


def test_a_double_click_decides_once_and_shows_the_same_page_twice(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    fields = dana.hidden(f"{address}/answer")
    first, second = (dana.client.post(f"{address}/approve", data=fields, headers={"Origin": ORIGIN}) for _ in range(2))

    assert first.status_code == second.status_code == 200
    assert first.url == second.url
    decided = [event for event in world.reviews.history(DANA, asked.id) if event.what == "decided"]
    assert len(decided) == 1


def test_a_page_that_is_out_of_date_changes_nothing_and_says_so(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    stale = dana.hidden(f"{address}/answer")
    dana.send(f"{address}/reject", {"reason": "No."})
    dana.send(f"{address}/approve", {**stale, "once": "another"})

    assert "Nothing was changed" in dana.text
    assert "Decided: rejected" in dana.text


def test_an_item_given_back_is_open_again(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    dana.send(f"{address}/release")

    assert dana.page.url.path == "/console/reviews"
    assert world.reviews.item(DANA, asked.id).entry.state is EscalationState.OPEN


def test_an_item_handed_on_is_gone_for_who_handed_it_on(world: World, dana: Browser, asked: Escalation):
    address = claimed(dana, asked)
    assert dana.send(f"{address}/reassign", {"to": "everyone"}).status_code == 422
    dana.open(address)
    dana.send(f"{address}/reassign", {"to": "user:bob", "note": "You know the law"})

    assert dana.open(address).status_code == 404
    bob = signed_in(world, "user:bob", Role.REVIEWER)
    assert "You know the law" in bob.open(address).text
    assert "/console/documents/" not in bob.page.text, "who does not read as a person has no link to what only such may open"


def test_evidence_that_one_of_the_two_may_not_read_is_withheld_without_a_trace(world: World, dana: Browser):
    asked = asks(world, "bea", "group:board", question="What is the merger Nightingale, and how long abroad?")
    address = claimed(dana, asked)

    assert "Some evidence is withheld from this view" in dana.text
    assert "takeover" not in dana.page.text
    assert "nightingale.txt" not in dana.page.text
    assert "/approve" not in dana.page.text, "nobody approves what they do not see"
    assert "62 %" not in dana.text
    assert dana.send(f"{address}/approve", dana.hidden(f"{address}/answer")).status_code == 422


def test_nobody_reviews_their_own_question(world: World, dana: Browser):
    own = asks(world, "dana")

    assert own.id not in dana.open("/console/reviews").text
    assert dana.open(f"/console/reviews/{own.id}").status_code == 404


def test_an_item_of_others_is_absent(world: World, asked: Escalation):
    other = signed_in(world, "user:rita", Role.USER, Role.REVIEWER)

    assert asked.id not in other.open("/console/reviews").text
    for address in ("", "/history.csv"):
        assert other.open(f"/console/reviews/{asked.id}{address}").status_code == 404
    other.open("/console/reviews")
    assert other.send(f"/console/reviews/{asked.id}/claim", {"expected": "1"}).status_code == 404


def test_the_queue_is_filtered_and_tells_urgency_in_words(world: World, dana: Browser, asked: Escalation):
    gap = asks(world, question="Who pays for receipts?", reason=Reason.NOTHING_FOUND)
    assert 'class="due fine">due in 24 hours' in dana.open("/console/reviews").text
    later(world, hours=19)
    dana = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    assert 'class="due soon">due in 5 hours' in dana.open("/console/reviews").text
    later(world, hours=8)
    dana = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    assert 'class="due late">overdue by 3 hours' in dana.open("/console/reviews").text

    assert listed(dana, "?reason=nothing_found") == [gap.id]
    assert listed(dana, "?state=&source=&reason=&overdue=true") == sorted([asked.id, gap.id])
    assert listed(dana, "?state=answered") == []
    assert listed(dana, "?state=any") == sorted([asked.id, gap.id])
    assert listed(dana, "?mine=true") == []
    claimed(dana, asked)
    assert listed(dana, "?mine=true") == [asked.id]
    assert listed(dana, "") == [gap.id], "what somebody works on is out of the way"


def test_the_queue_goes_on_page_by_page(world: World):
    configure(world, list_page_entries=2)
    dana = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    waiting = [asks(world, question=f"How many days, case {number}?").id for number in range(5)]
    found, address = [], "/console/reviews"
    while address:
        page = dana.open(address).text
        found += re.findall(r'href="/console/reviews/(esc_\w+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1] if following else ""

    assert sorted(found) == sorted(waiting)


def test_the_queue_as_a_file_holds_what_the_queue_shows(world: World, dana: Browser, asked: Escalation):
    asks(world, "dana")
    response = dana.open("/console/reviews.csv")

    (row,) = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))
    assert response.headers["content-disposition"] == 'attachment; filename="reviews.csv"'
    assert (row["id"], row["question"], row["asker"]) == (asked.id, QUESTION, "user:ann")


def test_the_evidence_is_searched_without_leaving_the_item(world: World, dana: Browser, asked: Escalation):
    page = dana.open(f"/console/reviews/{asked.id}?find=receipt").text

    assert "Keep the <mark>receipts</mark>." in page
    assert len(re.findall(r'<details class="evidence" open>', page)) == 1


def test_statistics_tell_of_what_the_reviewer_may_see(world: World, dana: Browser):
    for number in range(6):
        each = asks(world, question=f"How many days abroad, case {number}?", probability=0.4 + number / 10)
        later(world, minutes=30)
        address = claimed(dana, each)
        dana.send(f"{address}/{'approve' if number > 1 else 'reject'}", {"reason": "No."})
    dana.open("/console/statistics")
    assert "share of drafts given" in dana.page.text
    assert "case" not in dana.page.text
    assert re.search(r"approved\s*4", dana.text)
    assert "30 minutes" in dana.text

    rita = signed_in(world, "user:rita", Role.REVIEWER)
    rita.open("/console/statistics")
    assert "there are 0" in rita.text


def listed(at: Browser, filters: str) -> list[str]:
    return sorted(re.findall(r'href="/console/reviews/(esc_\w+)"', at.open(f"/console/reviews{filters}").text))
