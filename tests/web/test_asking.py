"""Asking, searching and reading, page by page, without scripts."""

import re
from dataclasses import replace
from html import unescape

import pytest
from httpx2 import Response

from api.responses.answers import MESSAGES
from retrieval.domain.answers import Answer, AnswerOutcome, Citation, Confidence, Conflict, Reason
from retrieval.domain.permissions import EVERYONE
from tests.api.conftest import FILES, SECRET_WORDS, World
from tests.api.identity.conftest import configure
from tests.story import allow
from tests.web.desk import QUESTION, asks, signed_in, telling

pytestmark = pytest.mark.permissions

SENTENCE = "Everybody may work from abroad for 30 days."


def test_an_answer_links_each_sentence_to_where_it_stands(world: World):
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": QUESTION})
    assert SENTENCE in at.text

    (link,) = set(re.findall(r'href="(/console/documents/[^"]+)"', at.page.text))
    page = at.open(unescape(link).partition("#")[0])

    assert f'<mark id="span">{SENTENCE}</mark> Ask your manager first.' in page.text


def test_a_question_stands_in_no_address(world: World):
    at = signed_in(world, "user:ann")
    response = at.send("/console/ask", {"question": QUESTION})

    assert response.url.path == "/console/answer"
    assert "abroad" not in str(response.url)
    assert at.open(str(response.url)).status_code == 200, "it can be gone back to"


def test_another_persons_question_does_not_open(world: World):
    ann, bea = signed_in(world, "user:ann"), signed_in(world, "user:bea")
    asked = ann.send("/console/ask", {"question": QUESTION})

    assert bea.open(str(asked.url)).status_code == 404
    assert ann.open("/console/answer?q=AAAA").status_code == 404


def test_what_somebody_may_not_read_is_on_no_page(world: World):
    world.key("bea", "group:board")
    ann, bea = signed_in(world, "user:ann"), signed_in(world, "user:bea")
    for form in ("/console/ask", "/console/search"):
        ann.open("/console")
        ann.send(form, {"question": "What is the merger Nightingale?"})
        bea.open("/console")
        bea.send(form, {"question": "What is the merger Nightingale?"})

        assert not [word for word in SECRET_WORDS if word in re.sub(r"<textarea.*?</textarea>|<title>.*?</title>", "", ann.page.text)]
        assert "The merger Nightingale is a takeover" in bea.text


def test_an_abstention_says_why(world: World):
    configure(world, answer_min_support=0.99)
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": "Zebra?"})

    assert "No answer" in at.text
    assert any(message in at.text for message in MESSAGES.values())
    assert "%" not in at.text, "how sure the service was of what it does not say is nothing to the asker"


def test_whoever_is_not_answered_hands_the_question_to_a_person(world: World):
    configure(world, answer_min_support=0.99, answer_escalation="on_request")
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": "Zebra abroad?"})
    response = at.send("/console/escalate")

    assert response.url.path.startswith("/console/questions/esc_")
    assert "Waits for a person" in at.text


def test_where_nobody_is_asked_the_page_says_so(world: World):
    configure(world, answer_min_support=0.99, answer_escalation="never")
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": "Zebra abroad?"})
    at.send("/console/escalate")

    assert "Nobody can be asked about this." in at.text


def test_what_somebody_says_of_their_answer_is_kept(world: World):
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": QUESTION})
    fields = at.hidden("/console/feedback")
    (citation,) = re.findall(r'<option value="(cit_\w+)"', at.page.text)
    at.send("/console/feedback", {**fields, "kind": "outdated", "about": citation, "note": "25 since January"})
    assert "Whoever answers for the document is told." in at.text
    (said,) = world.learning.feedback.given.said("user:ann", fields["answer"])
    assert (said.kind, said.citation, said.note) == ("outdated", citation, "25 since January")

    other = signed_in(world, "user:bob")
    assert other.send("/console/feedback", {"answer": fields["answer"], "kind": "wrong", "once": "x"}).status_code == 404


def test_words_of_the_search_are_marked_whatever_their_ending(world: World):
    at = signed_in(world, "user:ann")
    at.open("/console/search")
    page = at.send("/console/search", {"question": "expense receipt"})

    assert "<mark>expenses</mark>" in page.text
    assert "<mark>receipts</mark>" in page.text
    assert "nightingale" not in page.text


@pytest.mark.parametrize("characters", [50, 200, 1_000])
def test_a_long_document_is_shown_in_parts_that_together_are_its_text(world: World, characters: int):
    text = "".join(f"Line {number} of the long text.\n" for number in range(60)) + "The end."
    world.story.sync({**FILES, "long.txt": (text, allow(EVERYONE))})
    configure(world, console_document_characters=characters)
    at = signed_in(world, "user:ann")
    page = at.open(f"/console/documents/{world.document('long.txt')}")
    read = shown(page)
    while (following := re.search(r'rel="next" href="([^"]+)"', page.text)) is not None:
        page = at.open(unescape(following[1]))
        read += shown(page)

    assert read == text
    assert len(re.findall(r'rel="prev"', page.text)) == 2


def test_a_span_far_down_is_on_the_part_that_opens(world: World):
    text = "x" * 5_000 + "\nHere it stands.\n" + "y" * 5_000
    world.story.sync({**FILES, "long.txt": (text, allow(EVERYONE))})
    configure(world, console_document_characters=500)
    at = signed_in(world, "user:ann")
    page = at.open(f"/console/documents/{world.document('long.txt')}?start=5001&end=5016")

    assert '<mark id="span">Here it stands.</mark>' in page.text
    assert len(shown(page)) < 6_000


def test_a_version_that_was_replaced_is_not_there_any_more(world: World):
    at = signed_in(world, "user:ann")
    at.send("/console/ask", {"question": QUESTION})
    (link,) = set(re.findall(r'href="(/console/documents/[^"]+)"', at.page.text))
    world.story.sync({**FILES, "travel.txt": ("Everybody may work from abroad for 60 days.", allow(EVERYONE))})

    assert at.open(unescape(link).partition("#")[0]).status_code == 404


def test_confidence_is_told_in_words_and_as_a_number(world: World):
    at = signed_in(telling(world, lambda answer: replace(answer, confidence=Confidence(0.873, 0.8, "m@1"))), "user:ann")
    at.send("/console/ask", {"question": QUESTION})

    assert "Very likely right: 87 %." in at.text


def test_both_sides_of_a_contradiction_are_shown_with_their_dates(world: World):
    def conflicting(answer: Answer) -> Answer:
        one, other = (Citation.of(hit.passage) for hit in answer.retrieved.hits[:2])
        return replace(answer, conflicts=(Conflict(one, other, "30 and 14 days", ("2025-04-01T00:00:00Z", None), (80, 50)),))

    at = signed_in(telling(world, conflicting), "user:ann")
    at.send("/console/ask", {"question": QUESTION})

    assert "Your sources contradict each other on 30 and 14 days" in at.text
    assert "2025-04-01" in at.text
    assert "no date · authority 50" in at.text


def test_a_question_that_a_person_works_on_says_so(world: World):
    escalation = asks(world)
    escalated = {"outcome": AnswerOutcome.ESCALATED, "reason": Reason.LOW_CONFIDENCE, "sentences": (), "escalation": escalation.id}
    at = signed_in(telling(world, lambda answer: replace(answer, **escalated)), "user:ann")
    at.send("/console/ask", {"question": QUESTION})

    assert "A person is looking at it" in at.text
    assert f'href="/console/questions/{escalation.id}"' in at.page.text
    assert "They should decide by" in at.open(f"/console/questions/{escalation.id}").text
    assert signed_in(world, "user:bea").open(f"/console/questions/{escalation.id}").status_code == 404


def test_somebody_takes_a_question_back(world: World):
    escalation = asks(world)
    at = signed_in(world, "user:ann")
    at.open(f"/console/questions/{escalation.id}")
    at.send(f"/console/questions/{escalation.id}/withdraw")

    assert "Taken back" in at.text


def shown(page: Response) -> str:
    (text,) = re.findall(r'aria-label="Text">(.*?)</div>', page.text, re.DOTALL)
    return unescape(re.sub(r"</?mark[^>]*>", "", text))
