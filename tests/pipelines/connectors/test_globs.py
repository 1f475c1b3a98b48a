"""Globs over keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.connectors.globs import Glob, glob_problem
from tests.slack import within


@pytest.mark.parametrize(
    ("glob", "key", "expected"),
    [
        pytest.param("**", "a/b/c.txt", True, id="two stars take everything"),
        pytest.param("*", "a.txt", True, id="a star takes a name"),
        pytest.param("*", "a/b.txt", False, id="a star does not cross a folder"),
        pytest.param("a?c", "a/c", False, id="a question mark does not cross a folder"),
        pytest.param("[!x]", "/", False, id="a class does not take a slash"),
        pytest.param("finance/**", "finance/2024/q1.pdf", True, id="two stars cross folders"),
        pytest.param("finance/**", "finance", False, id="what is in the folder is not the folder"),
        pytest.param("finance/**", "finance-old/q1.pdf", False, id="a folder is a whole name"),
        pytest.param("finance/**", "Finance/q1.pdf", False, id="matching is case-sensitive"),
        pytest.param("**/*.pdf", "q1.pdf", True, id="two stars take no folder too"),
        pytest.param("**/*.pdf", "a/b/q1.pdf", True, id="two stars then a name"),
        pytest.param("**/*.pdf", "a/q1.pdf/readme.md", False, id="the last name counts"),
        pytest.param("a/**/z.txt", "a/z.txt", True, id="two stars inside take nothing"),
        pytest.param("a/**/z.txt", "a/b/z.txt/c/z.txt", True, id="the last possible match is found"),
        pytest.param("**/a/**/b", "a/x/a/b", True, id="two stars twice"),
        pytest.param("**/a/b/**/c", "a/a/b/d/c", True, id="the run between two stars may start late"),
        pytest.param("**/a/b/**/c", "a/x/b/d/c", False, id="the run between two stars stays together"),
        pytest.param("plan [final].txt", "plan [final].txt", True, id="a name written out matches itself"),
        pytest.param("plan [final].txt", "plan f.txt", True, id="and is a pattern still"),
        pytest.param("caf\u00e9/*", "cafe\u0301/menu.txt", True, id="composed and decomposed names are one"),
        pytest.param("https://example.com/**", "https://example.com/a/b?c=d", True, id="a URL"),
        pytest.param("https://example.com/**", "https://example.com.evil.test/a", False, id="a host is a whole name"),
        pytest.param("a\n*", "a\nb", True, id="a name may hold a line break"),
    ],
)
def test_a_glob_matches_whole_keys(glob, key, expected):
    compiled = Glob(glob)

    matched = compiled.matches(key)

    assert matched is expected


@pytest.mark.parametrize(
    "glob", ["", "x" * 501, "finance\\**", "/finance/**", "../x", "a/./b", "**.pdf", "a/b**"], ids=lambda glob: glob[:12] or "empty"
)
def test_a_glob_that_could_never_match_is_refused(glob):
    problem = glob_problem(glob)

    assert problem
    with pytest.raises(ValueError, match=r"pattern|slashes"):
        Glob(glob)


@pytest.mark.parametrize(
    ("glob", "folder", "expected"),
    [
        ("archive/**", "archive", True),
        ("archive/**", "archive/2020", False),
        ("**/old/**", "a/old", True),
        ("**", "a", True),
        ("archive/*", "archive", False),
    ],
)
def test_a_glob_knows_which_folders_it_takes_whole(glob, folder, expected):
    covers = Glob(glob).covers(folder)

    assert covers is expected


_NAME = st.text(alphabet="ab", min_size=1, max_size=3)


@given(st.lists(st.one_of(_NAME, st.just("*"), st.just("**")), min_size=1, max_size=6), st.lists(_NAME, min_size=1, max_size=6))
def test_matching_agrees_with_trying_every_way(pattern, names):
    def tried(pattern: list[str], names: list[str]) -> bool:
        if not pattern:
            return not names
        head, rest = pattern[0], pattern[1:]
        if head == "**":
            least = 1 if not rest else 0
            return any(tried(rest, names[taken:]) for taken in range(least, len(names) + 1))
        return bool(names) and head in ("*", names[0]) and tried(rest, names[1:])

    matched = Glob("/".join(pattern)).matches("/".join(names))

    assert matched is tried(pattern, names)


@pytest.mark.parametrize("glob", ["*a" * 200, "**/a/" * 90 + "b", "**/*a*a*a/" * 40 + "b"], ids=["stars", "folders", "both"])
def test_no_glob_takes_long(glob):
    with within(0):
        matched = Glob(glob).matches("a" * 60 + "/a" * 1000 + "/c")

    assert not matched
