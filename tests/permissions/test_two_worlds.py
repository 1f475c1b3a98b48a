"""What is hidden shows nowhere: not in order, scores, counts, errors or headers. 250 pairs here, 10,000 in `make leaks`."""

import os
from pathlib import Path

import pytest

from tests.permissions.requests import Requests
from tests.permissions.two_worlds import compare_worlds
from tests.permissions.worlds import Size

PAIRS = int(os.environ.get("ARCHIVIST_TEST_LEAK_PAIRS", "250"))

pytestmark = [pytest.mark.permissions, pytest.mark.slow]


def test_a_world_without_the_hidden_documents_answers_the_same(tmp_path: Path):
    found = compare_worlds(tmp_path, seed=777, pairs=PAIRS)

    assert found.pairs == PAIRS
    assert found.differences == []
    assert found.hidden > 100
    assert found.hits > PAIRS


def test_the_graph_around_an_entity_is_that_of_a_world_without_the_hidden_documents(tmp_path: Path):
    found = compare_worlds(tmp_path, seed=31, pairs=PAIRS // 3, size=Size(papers=60), ask=Requests.graph)

    assert found.differences == []
    assert found.hidden > 20
    assert found.statuses[200] > found.pairs // 3
    assert found.statuses[404] > found.pairs // 10
