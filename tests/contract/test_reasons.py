"""Why a document is readable: the reader's own subjects that a grant allows, and nobody else's; on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.directory import Entry
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.sources import Classification, SourceSpec
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

APP = Principal("intranet", PrincipalKind.APP)


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def why(story: Story, principal: Principal, *keys: str) -> dict[str, tuple[str, ...]]:
    """Reasons by key; keys without a reason are left out."""
    found = story.catalog.gate.why(principal, [story.document(key) for key in keys])
    assert set(found) <= {story.document(key) for key in keys}
    return {key: found[story.document(key)] for key in keys if story.document(key) in found}


def test_the_reason_is_whichever_of_the_readers_subjects_a_grant_allows(story: Story):
    story.catalog.directory.set_groups(ANN.subject, {"group:staff"})

    story.sync(
        {
            "public.md": ("One.", PUBLIC),
            "own.md": ("Two.", allow("user:ann")),
            "group.md": ("Three.", allow("group:staff")),
            "all.md": ("Four.", allow("everyone", "user:ann", "group:staff")),
        }
    )

    assert why(story, ANN, "public.md", "own.md", "group.md", "all.md") == {
        "public.md": ("everyone",),
        "own.md": ("user:ann",),
        "group.md": ("group:staff",),
        "all.md": ("everyone", "group:staff", "user:ann"),
    }


def test_nothing_is_told_of_others_whom_the_same_policy_names(story: Story):
    story.catalog.directory.set_groups(ANN.subject, {"group:staff"})

    story.sync({"a.md": ("One.", allow("group:staff", "group:board", "user:bob", "app:intranet", deny=("group:press",)))})

    assert why(story, ANN, "a.md") == {"a.md": ("group:staff",)}
    assert why(story, BOB, "a.md") == {"a.md": ("user:bob",)}


def test_the_same_is_told_whoever_else_reads_the_document(story: Story):
    story.sync({"few.md": ("One.", allow("user:ann")), "many.md": ("Two.", allow("user:ann", "user:bob", "group:board"))})

    assert len(set(why(story, ANN, "few.md", "many.md").values())) == 1


@pytest.mark.parametrize(
    "make_unreadable",
    [
        pytest.param(lambda story: story.sync({"a.md": ("One.", allow("user:bob"))}), id="no grant"),
        pytest.param(lambda story: story.sync({"a.md": ("One.", allow("user:ann", deny=("group:staff",)))}), id="denied"),
        pytest.param(lambda story: story.sync({"b.md": ("Two.", PUBLIC)}), id="withdrawn"),
        pytest.param(lambda story: story.catalog.directory.update("user:ann", lambda entry: replace(entry, active=False)), id="not active"),
        pytest.param(
            lambda story: story.catalog.sources.register(
                SourceSpec(id=story.source, kind=story.kind, title="Handbook", owner="user:dana", classification=Classification.RESTRICTED),
                by="user:dana",
            ),
            id="clearance",
        ),
    ],
)
def test_what_may_not_be_read_has_no_reason(story: Story, make_unreadable: Callable[[Story], object]):
    story.catalog.directory.add(Entry(ANN.subject, "Ann", active=True, clearance=Classification.INTERNAL))
    story.catalog.directory.set_groups(ANN.subject, {"group:staff"})
    story.sync({"a.md": ("One.", allow("user:ann"))})
    before = why(story, ANN, "a.md")

    make_unreadable(story)

    assert (before, why(story, ANN, "a.md")) == ({"a.md": ("user:ann",)}, {})


def test_absent_and_hidden_are_the_same(story: Story):
    story.sync({"hidden.md": ("One.", allow("user:bob"))})

    assert why(story, ANN, "hidden.md", "absent.md") == {}
    assert story.catalog.gate.why(ANN, []) == {}


def test_a_group_within_a_group_and_one_of_the_credential_are_the_readers_own(story: Story):
    story.catalog.directory.set_groups("group:team", {"group:staff"})
    story.sync({"a.md": ("One.", allow("group:staff", "group:other"))})

    assert why(story, replace(ANN, groups=frozenset({"group:team"})), "a.md") == {"a.md": ("group:staff",)}


def test_an_applications_own_grants_are_no_reason(story: Story):
    story.sync({"a.md": ("One.", allow("everyone", "app:intranet")), "b.md": ("Two.", allow("user:ann", "app:intranet"))})

    assert why(story, APP, "a.md", "b.md") == {"a.md": ("everyone",)}
    assert why(story, replace(ANN, through=APP), "a.md", "b.md") == {"a.md": ("everyone",), "b.md": ("user:ann",)}
