"""What a JSON body may look like before anything is made of it."""

import json
import random
import time

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.bodies import MalformedBody, check_json, nesting
from retrieval.domain.errors import InvalidInput
from tests.api.conftest import World


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        pytest.param(b'{"query": "a", "query": "b"}', 400, "has a name twice in one object", id="a name twice"),
        pytest.param(b'{"query": "a", "top_k": NaN}', 400, "is not valid JSON", id="NaN"),
        pytest.param(b'{"query": "a", "top_k": -Infinity}', 400, "is not valid JSON", id="Infinity"),
        pytest.param(b'{"query": "a", "sources": ' + b"[" * 32 + b"]" * 32 + b"}", 400, "is nested too deeply", id="33 levels"),
        pytest.param(b"[" * 2000, 400, "is nested too deeply", id="a tower"),
        pytest.param(b'{"query": "a", "top_k": ' + b"1" * 101 + b"}", 422, "holds a number that is too long", id="a long number"),
        pytest.param(b'{"query": "a", "top_k": 1e' + b"1" * 101 + b"}", 422, "holds a number that is too long", id="a long exponent"),
        pytest.param('{"query": "a"}'.encode("utf-16"), 400, "is not UTF-8", id="UTF-16"),
        pytest.param(b'{"query": "\xe9"}', 400, "is not UTF-8", id="Latin-1"),
        pytest.param(b'\xef\xbb\xbf{"query": "a"}', 400, "is not valid JSON", id="a byte order mark"),
        pytest.param(b'{"query": "a"} {}', 400, "is not valid JSON", id="two values"),
        pytest.param(b"{'query': 'a'}", 400, "is not valid JSON", id="Python"),
    ],
)
def test_a_body_that_can_be_read_in_two_ways_or_hurts_is_refused(
    api: TestClient, ann: dict[str, str], body: bytes, status: int, problem: str
):
    response = api.post("/retrieve", content=body, headers=ann | {"Content-Type": "application/json"})

    assert response.status_code == status
    assert response.json()["errors"][0]["problem"] == problem


def test_the_form_of_a_body_is_judged_only_for_who_may_send_it(api: TestClient):
    assert api.post("/retrieve", content=b"[" * 2000, headers={"Content-Type": "application/json"}).status_code == 401


def test_brackets_within_strings_do_not_nest():
    assert nesting(r'{"a": "[[[[\"[[{{\\"}') == 1
    assert nesting(r'["\\", ["\\\"[[["]]') == 2


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_nesting_is_what_a_walk_through_the_value_counts(value: object):
    def depth(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max((depth(each) for each in inner), default=0)

    assert nesting(json.dumps(value)) == nesting(json.dumps(value, ensure_ascii=False)) == depth(value)


def test_judging_a_body_takes_no_time_worth_speaking_of(world: World):
    drawn, seconds = random.Random(7), []
    for _ in range(300):
        body = bytes(drawn.choices(b'[]{}",:\\ 1etn', k=drawn.choice([100, 2_000, 65_536])))
        started = time.thread_time()
        with pytest.raises((MalformedBody, InvalidInput)):
            check_json(body, world.settings)
        seconds.append(time.thread_time() - started)

    assert sorted(seconds)[int(len(seconds) * 0.99)] < 0.05
