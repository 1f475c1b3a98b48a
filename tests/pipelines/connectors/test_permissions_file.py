"""Parsing one `.permissions.yaml`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.connectors.permissions_file import MAX_PERMISSIONS_BYTES, parse_permissions, permissions_file_problem
from retrieval.domain.permissions import AccessPolicy
from tests.slack import within

pytestmark = pytest.mark.permissions


def test_a_file_says_who_reads_the_folder_and_who_reads_some_files():
    content = b"""
default: {allow: [group:engineering], deny: []}
files:
  "salary-*.xlsx": {allow: [group:hr], deny: [user:bob]}
"""

    parsed = parse_permissions(content, where=".permissions.yaml")

    assert parsed.problem is None
    assert parsed.default == AccessPolicy.of(["group:engineering"])
    assert [(glob.glob, policy) for glob, policy in parsed.files] == [("salary-*.xlsx", AccessPolicy.of(["group:hr"], ["user:bob"]))]


def test_a_file_may_say_nothing():
    parsed = parse_permissions(b"{}", where=".permissions.yaml")

    assert (parsed.problem, parsed.default, parsed.files) == (None, None, ())


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"", "file:", id="empty"),
        pytest.param(b"# nothing yet\n", "file:", id="a comment only"),
        pytest.param(b"- default", "file:", id="a list"),
        pytest.param(b"defualt: {allow: [everyone]}", "defualt:", id="a misspelt field"),
        pytest.param(b"Default: {allow: [everyone]}", "Default:", id="a capital letter"),
        pytest.param(b"default: {alow: [everyone]}", "default.alow", id="a misspelt effect"),
        pytest.param(b"default: [everyone]", "default:", id="a list for a mapping"),
        pytest.param(b"default:", "default:", id="a field without a value"),
        pytest.param(b"default: {allow: everyone}", "default.allow", id="a word for a list"),
        pytest.param(b"default: {allow: [everybody]}", "default.allow[1]", id="an unknown subject"),
        pytest.param(b"default: {allow: ['group:a', 'group: b']}", "default.allow[2]", id="a subject with a space"),
        pytest.param(b"default: {allow: [group:a], deny: [{user: bob}]}", "default.deny[1]", id="a mapping for a subject"),
        pytest.param(b"default: {allow: [Group:a]}", "default.allow[1]", id="a subject kind in capitals"),
        pytest.param(b"files: {'a/b.txt': {allow: [everyone]}}", "files 'a/b.txt'", id="a file in another folder"),
        pytest.param(b"files: {'../b.txt': {allow: [everyone]}}", "files '../b.txt'", id="a file outside"),
        pytest.param(b"files: {'**': {allow: [everyone]}, '': {}}", "files ''", id="an empty pattern"),
        pytest.param(b"files: [a.txt]", "files:", id="a list of files"),
        pytest.param(b"files: {a.txt: {allow: [x]}}", "files 'a.txt'.allow[1]", id="a bad subject of a file"),
        pytest.param(b"default: {allow: [group:a]}\ndefault: {allow: [everyone]}", "'default' (line 2)", id="a field twice"),
        pytest.param(b"files: {a: {allow: [user:x]}, a: {allow: [everyone]}}", "'a' (line 1)", id="a file twice"),
        pytest.param(b"default: {allow: [group:a", "line 1", id="not YAML"),
        pytest.param(b"default: {allow: [group:a]}\n---\ndefault: {}", "line 2", id="two documents"),
        pytest.param(b"\xff\xfe\xff", "YAML", id="not text"),
        pytest.param(b"default: {allow: [group:a]}\x00", "YAML", id="a NUL"),
        pytest.param(b"x: &a [everyone]\ndefault: {allow: *a}", "line 2", id="an alias"),
        pytest.param(b"{? [a]: b}", "YAML", id="a list as a key"),
        pytest.param(b"[" * 30_000, "YAML", id="deep nesting"),
        pytest.param(b"<<: {default: {allow: [everyone]}}", "<<", id="a merge key"),
        pytest.param(b"x" * (MAX_PERMISSIONS_BYTES + 1), "64 KiB", id="too large"),
    ],
)
def test_whatever_is_wrong_is_a_problem_that_names_the_place(content, named):
    parsed = parse_permissions(content, where=".permissions.yaml")

    assert parsed.problem is not None
    assert named in parsed.problem
    assert (parsed.default, parsed.files) == (None, ())


def test_every_mistake_is_named_at_once():
    content = b"defualt: {}\nfiles: {a.txt: {allow: [x], dney: []}}"

    parsed = parse_permissions(content, where=".permissions.yaml")

    assert [name in (parsed.problem or "") for name in ("defualt", "files 'a.txt'.allow[1]", "files 'a.txt'.dney")] == [True] * 3


def test_a_bomb_of_aliases_costs_nothing():
    lines = ["a0: &a0 [user:x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]

    with within(0):
        parsed = parse_permissions("\n".join(lines).encode(), where=".permissions.yaml")

    assert parsed.problem is not None


def test_a_tag_builds_nothing():
    parsed = parse_permissions(b"default: !!python/object/apply:os.system ['touch /tmp/never']", where=".permissions.yaml")

    assert parsed.problem is not None


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(alphabet="defaultiles:{}[],&*!-?|>'\"%@\n allowdeny", max_size=200).map(str.encode))
def test_no_bytes_make_it_raise(content):
    parsed = parse_permissions(content, where="a/.permissions.yaml")

    assert parsed.problem is not None or parsed.default is not None or parsed.files or content.strip()


@pytest.mark.parametrize(
    ("name", "misspelt"),
    [
        (".permissions.yaml", False),
        (".permissions.yml", True),
        (".Permissions.yaml", True),
        (".permissions.yaml.txt", True),
        (".permissions", True),
        ("permissions.yaml", False),
        (".permissions.yaml~", False),
    ],
)
def test_a_file_name_that_is_nearly_right_is_noticed(name, misspelt):
    problem = permissions_file_problem(name)

    assert (problem is not None) is misspelt
