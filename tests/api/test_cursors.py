"""Cursors open for whom they were made, on the list that they were made for, and for nobody and nothing else."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import KEPT, Cursors, list_fingerprint
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import Principal, PrincipalKind
from tests.api.conftest import FakeClock

ANN = Principal("ann")
APP = Principal("intranet", PrincipalKind.APP)
DOCUMENTS = list_fingerprint("documents", source=None)
KEY = bytes(range(32))


def refused(cursors: Cursors, principal: Principal, fingerprint: str, cursor: str) -> tuple[FieldProblem, ...]:
    with pytest.raises(InvalidInput) as raised:
        cursors.open(principal, fingerprint, cursor)
    return raised.value.problems


UNKNOWN = refused(Cursors(KEY), ANN, DOCUMENTS, "no cursor")


@given(position=st.text(max_size=300), who=st.sampled_from([ANN, APP, Principal("ann", through=APP)]))
def test_a_cursor_gives_back_the_position_it_was_made_of(position: str, who: Principal):
    cursors = Cursors(KEY)

    assert cursors.open(who, DOCUMENTS, cursors.seal(who, DOCUMENTS, position)) == position


@pytest.mark.permissions
def test_a_thousand_stolen_cursors_are_what_an_unknown_one_is():
    cursors = Cursors(KEY)
    thieves = [
        *(Principal("bea"), Principal("ann", PrincipalKind.APP), Principal("ann", issuer="https://login.example")),
        *(Principal("ann", through=APP), Principal("bea", through=APP)),
    ]
    drawn = random.Random(20260301)

    for n in range(1000):
        cursor = cursors.seal(ANN, DOCUMENTS, f"doc_{n}")

        assert refused(cursors, drawn.choice(thieves), DOCUMENTS, cursor) == UNKNOWN


@pytest.mark.parametrize(
    "fingerprint",
    [
        pytest.param(list_fingerprint("documents", source="handbook"), id="another filter"),
        pytest.param(list_fingerprint("audit", source=None), id="another list"),
        pytest.param(list_fingerprint("documents", source=None, owner=None), id="one filter more"),
    ],
)
def test_a_cursor_of_another_list_is_unknown(fingerprint: str):
    cursors = Cursors(KEY)

    assert refused(cursors, ANN, fingerprint, cursors.seal(ANN, DOCUMENTS, "doc_1")) == UNKNOWN


def test_a_cursor_of_another_service_is_unknown():
    assert refused(Cursors(KEY), ANN, DOCUMENTS, Cursors(bytes(32)).seal(ANN, DOCUMENTS, "doc_1")) == UNKNOWN


def test_a_cursor_with_one_character_changed_added_or_missing_is_unknown():
    cursors = Cursors(KEY)
    cursor = cursors.seal(ANN, DOCUMENTS, "doc_1")

    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert refused(cursors, ANN, DOCUMENTS, changed) == UNKNOWN
    for odd in (cursor[:-1], cursor + "A", "A" + cursor, cursor + "=" * 9, cursor[:9], "", "é", "A" * 5000, "A" * 40):
        assert refused(cursors, ANN, DOCUMENTS, odd) == UNKNOWN


def test_a_cursor_kept_too_long_is_unknown():
    clock = FakeClock()
    cursors = Cursors(KEY, clock=clock)
    cursor = cursors.seal(ANN, DOCUMENTS, "doc_1")

    clock.at += KEPT - timedelta(seconds=1)
    assert cursors.open(ANN, DOCUMENTS, cursor) == "doc_1"
    clock.at += timedelta(seconds=1)
    assert refused(cursors, ANN, DOCUMENTS, cursor) == UNKNOWN


def test_cursors_of_one_position_differ_and_the_length_does_not_count():
    cursors = Cursors(KEY)

    sealed = {cursors.seal(ANN, DOCUMENTS, str(position)) for position in (1, 1, 999, 10**12)}

    assert len(sealed) == 4
    assert len({len(cursor) for cursor in sealed}) == 1
