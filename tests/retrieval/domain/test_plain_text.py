# ruff: noqa: RUF001 -- letters that look like others are what this file is about
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.domain.plain_text import is_active, plain_sentence
from tests.rendered import active_parts


@pytest.mark.parametrize(
    "text",
    [
        "Leave is 25 days a year, e.g. in the U.S. since 2019.",
        "The rate rose by 3.5 % (p < 0.05), i.e. from 2.1 to 5.6 mg/dl.",
        "Dr. Li's team at St. Mary's wrote report.pdf and config.yaml on 10:30 p.m.",
        "Is it free? Yes: 5 * 4 = 20, and a*b is A&B's product; see [sic] and/or item #3.",
        "Über 40 Größen, naïve cafés, 25 µg, 漢字かな交じり文、100円です。",
        "سياسة الإجازات هي عشرون يومًا.",
        "नीति बीस दिन की है।",
        "The price is $5 {about} 3 ^ 2 ~ 9 | 10.",
        "Version v1.2.3 of snake_case_name runs on 10.0.0.1 with C++ & C#.",
    ],
)
def test_an_honest_sentence_stays_as_it_is(text: str):
    assert plain_sentence(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**Leave** is _twenty_ days.", "Leave is twenty days."),
        ("- Leave  is\n\ttwenty days.", "Leave is twenty days."),
        ("## > * Leave", "Leave"),
        ("1) Leave is twenty days .", "Leave is twenty days."),
        ("Leave [] is ~~ten~~ twenty\u00ad days\u200b.", "Leave is ten twenty days."),
    ],
)
def test_what_leaves_no_trace_is_taken_off(text: str, plain: str):
    assert plain_sentence(text) == plain


ACTIVE = [
    "See [the policy](https://evil.example/?q=1).",
    "See [the policy](/local).",
    "See [the policy][1a].",
    "[1a]: https://evil.example",
    "[x]: /local",
    "![chart](https://evil.example/c.png)",
    "Go to https://evil.example now.",
    "Go to hTTps://evil.example now.",
    "Go to evil.com now.",
    "Go to evil.co.uk/path now.",
    "Go to www.evil now.",
    "Go to ev\u0456l.com now.",
    "Go to пример.рф now.",
    "Go to evil。com now.",
    "Go to evil．com now.",
    "Go to ｅｖｉｌ．ｃｏｍ now.",
    "Go to xn--80ak6aa92e now.",
    "Go to //evil/x now.",
    "Go to \\\\evil\\share now.",
    "Go to http:evil now.",
    "Go to https:\\\\evil now.",
    "Open javascript:alert(1).",
    "Open JaVaScRiPt:alert(1).",
    "Open data:text/html;base64,PHNjcmlwdD4=.",
    "Open vbscript:x or mailto:a.",
    "Write to ann@evil.example.",
    "Write to ann＠evil.",
    "Ask @channel.",
    "Ask <!channel> or <@U123>.",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</div> text",
    "＜script＞ text",
    "&lt;script&gt; text",
    "&#60;script&#x3e; text",
    "&ltscript text",
    "javascript&colon;alert(1)",
    "java&#115cript text",
    "%3Cscript%3E text",
    r"\u003cscript\u003e text",
    r"\x3cscript text",
    r"\href{x}{y} text",
    "Run `rm -rf /` now.",
    "```sh",
    "{{config}} and ${x} and $(id) and {% raw %}",
    "Reached 10.0.0.1:8080 now.",
    "\x1b[31mred\x1b[0m",
    "\x9b31mred",
    "be\x07ll",
    "txt.\u202eexe",
    "a\u2066b",
    "tag \U000e0041\U000e0042",
    "private \ue000",
    "hidden \u3164 filler",
    "selectors \U000e0100",
    "Z\u0301\u0301\u0301\u0301algo",
    "=HYPERLINK(1)",
    "@SUM(1)",
    "| a | b |",
    "aHR0cHM6Ly9ldmlsLmV4YW1wbGUvP3E9MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw",
    "",
    " .,; ",
    "**",
]


@pytest.mark.parametrize("text", ACTIVE)
def test_a_sentence_with_anything_active_or_hidden_is_refused_whole(text: str):
    assert plain_sentence(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "<scr[]ipt>alert",
        "java\u200bscript:alert(1)",
        "ev\u00adil.c\u2060om",
        "[the policy]\u200b(https://x)",
        "htt**ps://evil",
        "![]()x](y)",
    ],
)
def test_taking_off_puts_nothing_active_together(text: str):
    assert plain_sentence(text) is None


PIECES = [
    *"<>[]()!`*_~#&;:/\\.@=|%{}$^\"' \n-1aZ\u200b\u202e\uff1c\u3002\u0456",
    *("http", "https://", "www.", "evil", ".com", "javascript:", "img ", "src=", "script", "data:", "&lt;", "&lt", "[1]", "](", "xn--"),
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@settings(max_examples=1_000, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_what_is_plain_is_drawn_without_links_images_or_tags_by_itself_and_beside_others(texts: list[str]):
    plain = [found for text in texts if (found := plain_sentence(text)) is not None]

    for sentence in plain:
        assert active_parts(sentence) == []
        assert plain_sentence(sentence) is not None
        assert not is_active(sentence)
    assert active_parts(" ".join(plain)) == []


@pytest.mark.parametrize("part", [" ", "\u200b", "a", "(", "[", "*", "<", ".", "a.", "&a", "%3", "\\", "e\u0301"])
def test_a_long_hostile_text_takes_no_longer_than_its_length(part: str):
    plain_sentence(part * 20_000)
