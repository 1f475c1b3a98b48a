"""Which questions are one, by their words. The pairs that are not one are near in every embedding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.bootstrap import open_embedder
from retrieval.domain.same_question import agree, asked_words
from retrieval.settings import Settings

MIN_OVERLAP = Settings.model_fields["curated_min_overlap"].default
MIN_SIMILARITY = Settings.model_fields["curated_min_similarity"].default

SAME = [
    ("How many days may I work from abroad?", "how many days can I work from abroad"),
    ("How many days may I work from abroad?", "Please tell me: how many days may I work from abroad?"),
    ("What is the notice period?", "Which is the notice period?"),
    ("Who approves travel expenses?", "Who approves the travel expenses"),
    ("Is a notice of 30 days enough?", "Is a notice of thirty days enough?"),
    ("can ann lee approve my travel?", "Can Ann Lee approve my travel?"),
    ("Where do I find the policy on laptops?", "Where do I find the policies on laptops?"),
    ("Can't I smoke here?", "Can not I smoke here?"),
]
HARD = [
    ("Is a notice of 30 days enough?", "Is a notice of 60 days enough?"),
    ("Is a notice of thirty days enough?", "Is a notice of forty days enough?"),
    ("Was it decided in 2023?", "Was it decided in 2024?"),
    ("What is new in version 1.2?", "What is new in version 1.3?"),
    ("What changes at 12:30?", "What changes at 12:45?"),
    ("May I work from abroad?", "May I not work from abroad?"),
    ("May I work from abroad?", "Can't I work from abroad?"),
    ("Is travel paid with a receipt?", "Is travel paid without a receipt?"),
    ("Can Ann Lee approve my travel?", "Can Bob Ray approve my travel?"),
    ("Can Ann approve Bob's travel?", "Can Bob approve Ann's travel?"),
    ("What does ERR-1042 mean?", "What does ERR-1043 mean?"),
    ("Where is conf/app.yaml read?", "Where is conf/web.yaml read?"),
    ("How do I get from Berlin to Paris?", "How do I get from Paris to Berlin?"),
    ("how do i get from berlin to paris?", "how do i get from paris to berlin?"),
    ("When may I travel?", "Where may I travel?"),
    ("Who reviews the report?", "When is the report reviewed?"),
    ("How many laptops may I have?", "How often may I have laptops?"),
    ("How long is the notice period in days?", "How long is the notice period in months?"),
    ("Is the report due on Monday?", "Is the report due on Friday?"),
    ("Is the report due in March?", "Is the report due in April?"),
    ("Is the report due in May?", "Is the report due in June?"),
    ("Do I submit it before the deadline?", "Do I submit it after the deadline?"),
    ("How do I enable single sign-on?", "How do I disable single sign-on?"),
    ("What is the minimum salary of an engineer?", "What is the maximum salary of an engineer?"),
    ("Are internal calls recorded?", "Are external calls recorded?"),
    ("How do I join the pension plan?", "How do I leave the pension plan?"),
]
OTHER_WORDS = [
    ("can ann approve my travel to the site?", "can bob approve my travel to the site?"),
    ("How many days may I work from abroad?", "How many days may interns work from abroad?"),
    ("How many days may I work from abroad?", "How many days may I work from home?"),
    ("", "How long?"),
    ("", ""),
]
LONG = " according to the handbook of our company, its annex on remote work, the travel rules for staff and whatever else applies"
"""So many words in common that one that differs counts for little."""


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_asked_in_nearly_the_same_words(one: str, other: str):
    assert agree(asked_words(one), asked_words(other), min_overlap=MIN_OVERLAP)
    assert agree(asked_words(other), asked_words(one), min_overlap=MIN_OVERLAP)


@pytest.mark.parametrize(("one", "other"), HARD + OTHER_WORDS)
def test_something_else_asked_in_nearly_the_same_words(one: str, other: str):
    assert not agree(asked_words(one), asked_words(other), min_overlap=MIN_OVERLAP)
    assert not agree(asked_words(other), asked_words(one), min_overlap=MIN_OVERLAP)


@pytest.mark.parametrize(("one", "other"), HARD)
def test_what_must_agree_must_agree_in_long_questions_too(one: str, other: str):
    one, other = (question.rstrip("?") + LONG for question in (one, other))

    assert not agree(asked_words(one), asked_words(other), min_overlap=0.7)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_agree_in_both_directions_or_in_none(one: str, other: str):
    forth = agree(asked_words(one), asked_words(other), min_overlap=MIN_OVERLAP)

    assert forth == agree(asked_words(other), asked_words(one), min_overlap=MIN_OVERLAP)


@pytest.mark.models
def test_the_model_finds_near_what_is_the_same_and_alone_would_confuse_much_else():
    embedder = open_embedder(Settings())

    def similarity(pair: tuple[str, str]) -> float:
        one, other = (embedder.embed_query(text) for text in pair)
        return float(one @ other)

    assert min(map(similarity, SAME)) >= MIN_SIMILARITY
    confused = [pair for pair in HARD if similarity(pair) >= MIN_SIMILARITY]
    assert len(confused) > len(HARD) // 2
