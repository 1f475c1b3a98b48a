import time

import pytest

from retrieval.domain.identifiers import MAX_IDENTIFIER, codes, humps, wholes, without_codes


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        pytest.param("see ERR-1042.", ["ERR1042"], id="a code"),
        pytest.param("max_retries and MAX_RETRIES", ["maxretries", "MAXRETRIES"], id="with underscores"),
        pytest.param("from v2.3.1 to v23.1", ["v2x3x1", "v23x1"], id="versions"),
        pytest.param("HB-7731-02", ["HB7731x02"], id="a code of three parts"),
        pytest.param("HB\u20117731\u201102", ["HB7731x02"], id="with hyphens that do not break"),
        pytest.param("java.util.Map", ["javautilMap"], id="a dotted name"),
        pytest.param("in src/conf/app.yaml,", ["srcconfappyaml", "appyaml"], id="a path and its file"),
        pytest.param("ann@example.com", ["annexamplecom", "examplecom"], id="an address and its host"),
        pytest.param("TNF-alpha", ["TNFalpha"], id="a name with a hyphen"),
        pytest.param("a well-known, long-term plan", [], id="words with hyphens"),
        pytest.param("the end. Next -- and then", [], id="marks between sentences"),
    ],
)
def test_an_identifier_is_one_word(text: str, whole: list[str]):
    assert wholes(text) == whole


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        pytest.param("retryPolicy", ["retry", "Policy"], id="camel case"),
        pytest.param("XMLHttpRequest", ["XML", "Http", "Request"], id="with capitals in front"),
        pytest.param("getHTTP2Response", ["get", "HTTP2", "Response"], id="with a digit"),
        *(pytest.param(word, [], id=word) for word in ("APIs", "mRNA", "iPhone", "PhD", "NASA", "Retry", "policy")),
    ],
)
def test_camel_case_has_parts(word: str, parts: list[str]):
    assert humps(word) == parts


def test_a_code_has_a_digit_and_opens_with_a_letter_or_has_three_parts():
    text = "ERR-1042 on 2024-01-31 after 30-day max_retries 3.14 v2.3"

    assert codes(text) == ["ERR-1042", "2024-01-31", "v2.3"]
    assert without_codes(text).split() == ["on", "after", "30-day", "max_retries", "3.14"]


def test_what_is_longer_than_any_identifier_is_no_word():
    assert wholes("a_" + "b" * MAX_IDENTIFIER) == []
    assert humps("aa" + "Bb" * MAX_IDENTIFIER) == []


@pytest.mark.parametrize("part", ["a-", "aA", "a.b/", "-", "1_", "é", "_"])
def test_no_text_takes_long(part: str):
    text = part * (200_000 // len(part))
    started = time.process_time()

    for look in (wholes, humps, codes, without_codes):
        look(text)

    assert time.process_time() - started < 3
