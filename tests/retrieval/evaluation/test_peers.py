"""The peers, over texts and vectors so few that their rankings can be worked out by hand."""

import sys

import numpy as np
import pytest

from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.peers.asking import ask_peers, processes
from retrieval.evaluation.peers.shelf import Shelf
from retrieval.evaluation.peers.table import DISTRIBUTIONS, PEERS

TEXTS = {
    "trains": "Trains are booked by the office",
    "leave": "Parents take six months of leave",
    "kitchen": "The kitchen is cleaned on Fridays",
    "buses": "Buses run every hour",
    "mail": "Mail is collected at noon",
}
VECTORS = np.array([[0.6, 0.8, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0.5, 0.5, 0.70710677]], dtype=np.float32)
LEXICAL = ("rank_bm25", "bm25s")
HYBRID = ("haystack", "llama-index", "qdrant-client")


@pytest.fixture
def ask(request):
    try:
        peer = PEERS[request.param]()
    except InvalidInput as error:
        pytest.skip(str(error))
    return peer(Shelf(list(TEXTS), list(TEXTS.values()), VECTORS, depth=3))


def direction(*numbers):
    return np.array(numbers, dtype=np.float32)


@pytest.mark.parametrize("ask", LEXICAL, indirect=True)
def test_a_lexical_peer_finds_the_documents_that_hold_a_rare_word_and_no_others(ask):
    assert ask("parents and their LEAVE", direction(1, 0, 0)) == ["leave"]
    assert ask("zebra", direction(1, 0, 0)) == []


@pytest.mark.parametrize("ask", HYBRID, indirect=True)
def test_a_hybrid_peer_puts_first_what_both_of_its_legs_put_first(ask):
    assert ask("trains", direction(0.6, 0.8, 0))[0] == "trains"


@pytest.mark.parametrize("ask", HYBRID, indirect=True)
def test_a_hybrid_peer_finds_what_only_its_dense_leg_can_find(ask):
    found = ask("trains", direction(1, 0, 0))

    assert set(found[:2]) == {"trains", "buses"}
    assert len(found) <= 3


def test_every_peer_is_tried():
    assert set(PEERS) == set(DISTRIBUTIONS) == {*LEXICAL, *HYBRID}


def test_a_peer_without_its_library_names_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)
    monkeypatch.delitem(sys.modules, "retrieval.evaluation.peers.sparse", raising=False)

    with pytest.raises(InvalidInput, match=r"archivist\[peers\]"):
        PEERS["bm25s"]()


def test_peers_are_asked_in_processes_and_given_back_in_the_order_they_were_named():
    pytest.importorskip("bm25s", reason="needs the extra `peers`")
    shelf = Shelf(list(TEXTS), list(TEXTS.values()), VECTORS, depth=3)
    questions = [("q1", "parents", direction(1, 0, 0)), ("q2", "zebra", direction(1, 0, 0))]
    told = []

    with processes(1) as pool:
        found = ask_peers(["rank_bm25", "bm25s"], shelf, questions, pool=pool, progress=lambda done, total: told.append((done, total)))

    assert list(found) == ["rank_bm25", "bm25s"]
    assert found["rank_bm25"] == found["bm25s"] == {"q1": ["leave"], "q2": []}
    assert told == [(0, 2), (1, 2), (2, 2)]
