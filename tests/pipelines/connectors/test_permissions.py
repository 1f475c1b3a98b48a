"""Who may read a document: folders' files, then rules; deny wins; nothing found is nobody."""

from functools import reduce

import pytest

from pipelines.connectors.permissions import NOT_FOUND, Found, Inherited, Rules
from pipelines.connectors.permissions_file import parse_permissions
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.sources import PermissionRule

pytestmark = pytest.mark.permissions


def decide(key: str, *, files: dict[str, str] | None = None, rules: list[tuple[str, list[str], list[str]]] | None = None) -> Found:
    """The policy of `key`, given each folder's `.permissions.yaml` by folder, and the source's rules."""
    folders = [""] + ["/".join(key.split("/")[:depth]) for depth in range(1, key.count("/") + 1)]
    parsed = [
        parse_permissions(files[folder].encode(), where=f"{folder}/.permissions.yaml".lstrip("/")) if folder in (files or {}) else None
        for folder in folders
    ]
    compiled = Rules([PermissionRule(glob, AccessPolicy.of(allow, deny)) for glob, allow, deny in rules or []])
    return compiled.policy_of(key, inherited=reduce(Inherited.below, parsed, Inherited()), folder=parsed[-1])


def test_nothing_found_is_nobody_and_says_so():
    found = decide("a.txt")

    assert found == Found(NOBODY, NOT_FOUND)


def test_the_first_matching_rule_allows():
    found = decide("finance/a.txt", rules=[("hr/**", ["user:x"], []), ("finance/**", ["group:fin"], []), ("**", ["everyone"], [])])

    assert found == Found(AccessPolicy.of(["group:fin"]))


def test_every_matching_rule_denies():
    found = decide("finance/a.txt", rules=[("finance/**", ["everyone"], []), ("**", [], ["user:bob"]), ("hr/**", [], ["user:eve"])])

    assert found.policy == AccessPolicy.of(["everyone"], ["user:bob"])


def test_a_permissions_file_beats_the_rules_but_keeps_their_denials():
    found = decide("a.txt", files={"": "default: {allow: [group:a]}"}, rules=[("**", ["everyone"], ["user:bob"])])

    assert found.policy == AccessPolicy.of(["group:a"], ["user:bob"])


def test_the_nearest_folder_allows_and_all_folders_deny():
    files = {"": "default: {allow: [everyone], deny: [user:bob]}", "a": "{}", "a/b": "default: {allow: [group:b], deny: [user:eve]}"}

    found = decide("a/b/c/d.txt", files=files)

    assert found.policy == AccessPolicy.of(["group:b"], ["user:bob", "user:eve"])


def test_a_file_pattern_beats_the_default_of_its_folder_but_keeps_its_denials():
    files = {"": "default: {allow: [everyone], deny: [user:bob]}\nfiles: {'salary-*': {allow: [group:hr], deny: [user:eve]}}"}

    found = decide("salary-2024.xlsx", files=files)

    assert found.policy == AccessPolicy.of(["group:hr"], ["user:bob", "user:eve"])


def test_the_first_file_pattern_allows_and_all_that_match_deny():
    files = {"": "files: {'b*': {allow: [group:b], deny: []}, '*.txt': {allow: [everyone], deny: [user:bob]}}"}

    found = decide("b.txt", files=files)

    assert found.policy == AccessPolicy.of(["group:b"], ["user:bob"])


def test_file_patterns_do_not_reach_into_folders_below():
    files = {"": "default: {allow: [group:a]}\nfiles: {'b.txt': {allow: [everyone], deny: [user:bob]}}"}

    found = decide("below/b.txt", files=files)

    assert found.policy == AccessPolicy.of(["group:a"])


def test_a_file_without_a_match_is_skipped():
    found = decide("a/x.txt", files={"": "default: {allow: [group:a]}", "a": "files: {'b.txt': {allow: [everyone]}}"})

    assert found.policy == AccessPolicy.of(["group:a"])


def test_file_patterns_are_case_sensitive():
    found = decide("Salary.txt", files={"": "files: {'salary.txt': {allow: [everyone]}}"})

    assert found == Found(NOBODY, NOT_FOUND)


@pytest.mark.parametrize("broken", ["default: {alow: [everyone]}", "default: {allow: [nobody]}", "default: [", ""])
def test_a_broken_file_closes_its_folder_and_everything_below(broken):
    files = {"a": broken, "a/b": "default: {allow: [everyone]}"}

    found = decide("a/b/c.txt", files=files, rules=[("**", ["everyone"], [])])

    assert found.policy == NOBODY
    assert "a/.permissions.yaml" in (found.problem or "")


def test_a_broken_file_closes_nothing_beside_it():
    found = decide("b/c.txt", files={"a": "default: [", "b": "default: {allow: [everyone]}"})

    assert found == Found(AccessPolicy.of(["everyone"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("default: {allow: []}", ".permissions.yaml: default allows nobody"),
        ("default: {deny: [user:bob]}", ".permissions.yaml: default allows nobody"),
        ("default: {allow: [user:bob], deny: [user:bob]}", "denied"),
        ("default: {allow: [everyone], deny: [everyone]}", "denied"),
    ],
)
def test_a_policy_that_leaves_nobody_says_which_line_did_it(content, said):
    found = decide("a.txt", files={"": content}, rules=[("**", ["everyone"], [])])

    assert found.policy == NOBODY
    assert said in (found.problem or "")


def test_a_name_written_out_with_brackets_is_not_lost():
    files = {"": "default: {allow: [everyone]}\nfiles: {'plan [secret].txt': {allow: [group:board]}}"}

    found = decide("plan [secret].txt", files=files)

    assert found.policy == AccessPolicy.of(["group:board"])


def test_a_denial_reaches_a_name_that_another_system_wrote_decomposed():
    files = {"": "default: {allow: [everyone]}\nfiles: {'r\u00e9sum\u00e9.txt': {allow: [group:hr]}}"}

    found = decide("re\u0301sume\u0301.txt", files=files)

    assert found.policy == AccessPolicy.of(["group:hr"])
