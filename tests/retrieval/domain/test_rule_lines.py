"""Permission rules in one line, as people write them."""

import pytest

from retrieval.domain.rule_lines import rules_as_json


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param("**: allow everyone", {"glob": "**", "allow": ["everyone"]}, id="everyone"),
        pytest.param(
            "finance/**: allow group:finance, user:ann; deny user:bob",
            {"glob": "finance/**", "allow": ["group:finance", "user:ann"], "deny": ["user:bob"]},
            id="both",
        ),
        pytest.param("drafts/**: deny user:bob", {"glob": "drafts/**", "deny": ["user:bob"]}, id="deny-alone"),
        pytest.param("  a b/*.md :  allow  user:x ", {"glob": "a b/*.md", "allow": ["user:x"]}, id="spaces"),
        pytest.param("https://x.org/**: allow everyone", {"glob": "https://x.org/**", "allow": ["everyone"]}, id="a-url"),
        pytest.param("drafts/**: nobody", {"glob": "drafts/**"}, id="nobody"),
    ],
)
def test_a_rule_reads_as_it_is_written(line: str, rule: dict[str, object]) -> None:
    rules, problems = rules_as_json([line])

    assert rules == [rule]
    assert not problems


@pytest.mark.parametrize(
    "line",
    [
        "",
        "finance/**",
        "finance/**: group:finance",
        "finance/**: allow",
        "finance/**: allow group:finance,",
        "finance/**: allow a:b; allow c:d",
        "finance/**: allow user:ann; permit user:bob",
        ": allow everyone",
        "finance/**: nobody else",
    ],
)
def test_a_rule_that_cannot_be_read_is_named_and_lets_nobody_in(line: str) -> None:
    rules, problems = rules_as_json(["**: allow everyone", line])

    assert [problem.field for problem in problems] == ["rules[2]"]
    assert rules[1] == {"glob": "**"}
