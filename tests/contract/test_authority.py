"""Who reads what besides the grants: clearance, region, the age of permissions, applications; on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import access_classes
from retrieval.domain.directory import Entry
from retrieval.domain.errors import InvalidInput, RevisionNotReached
from retrieval.domain.permissions import AccessPolicy, Principal, PrincipalKind
from retrieval.domain.sources import Classification, SourceSpec, StalePermissions
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

APP = Principal("intranet", PrincipalKind.APP)
STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class MovingClock:
    at: datetime = field(default=STARTED)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def catalog(make_catalog: Callable[..., Catalog], clock: MovingClock) -> Catalog:
    return make_catalog(clock=clock)


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def describe(story: Story, **changed: object) -> None:
    """Register the story's source again with other limits."""
    spec = SourceSpec(id=story.source, kind=story.kind, title="Handbook", owner="user:dana")
    story.catalog.sources.register(replace(spec, **changed), by="user:dana")


def know(
    catalog: Catalog,
    principal: Principal,
    *,
    clearance: Classification | None = None,
    regions: list[str] | None = None,
    active: bool = True,
) -> None:
    """Enter a principal in the directory."""
    limits = None if regions is None else frozenset(regions)
    catalog.directory.add(Entry(principal.subject, principal.id, active=active, clearance=clearance, regions=limits))


@pytest.mark.parametrize("classification", list(Classification))
@pytest.mark.parametrize("clearance", list(Classification))
def test_a_clearance_limits_what_grants_allow(story: Story, classification: Classification, clearance: Classification):
    describe(story, classification=classification)
    know(story.catalog, ANN, clearance=clearance)

    story.sync({"a.md": ("One.", allow("user:ann"))})

    assert bool(story.visible(ANN)) is (classification.sensitivity <= clearance.sensitivity)


@pytest.mark.parametrize("classification", list(Classification))
def test_the_gate_tells_how_a_passages_source_is_classified_now(story: Story, classification: Classification):
    story.sync({"a.md": ("One.", allow("user:ann"))})

    describe(story, classification=classification)

    assert [passage.classification for passage in story.gated(ANN).readable] == [classification]


def test_a_clearance_allows_nothing_by_itself(story: Story):
    know(story.catalog, ANN, clearance=Classification.RESTRICTED)

    story.sync({"a.md": ("One.", allow("user:bob"))})

    assert story.visible(ANN) == set()


@pytest.mark.parametrize(
    ("region", "regions", "reads"),
    [
        pytest.param("", None, True, id="no region, no limit"),
        pytest.param("", ["eu"], True, id="a document without a region is read anywhere"),
        pytest.param("eu", None, True, id="a principal without a limit reads every region"),
        pytest.param("eu", ["us", "eu"], True, id="one of the principal's regions"),
        pytest.param("eu", ["us"], False, id="another region"),
        pytest.param("eu", [], False, id="no region at all"),
    ],
)
def test_a_region_is_read_by_those_whose_regions_name_it(story: Story, region: str, regions: list[str] | None, reads: bool):
    describe(story, region=region)
    know(story.catalog, ANN, regions=regions)

    story.sync({"a.md": ("One.", PUBLIC)})

    assert bool(story.visible(ANN)) is reads


def test_a_source_that_becomes_more_sensitive_is_withheld_at_once(story: Story):
    know(story.catalog, ANN, clearance=Classification.INTERNAL)
    story.sync({"a.md": ("One.", PUBLIC)})
    before = story.visible(ANN)

    describe(story, classification=Classification.CONFIDENTIAL)

    assert before == {"One."}
    assert story.visible(ANN) == set()


def test_who_is_not_active_reads_nothing(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})

    know(story.catalog, ANN, active=False)

    assert story.visible(ANN) == set()
    assert story.visible(BOB) == {"One."}


def test_an_application_alone_reads_what_everyone_reads(story: Story):
    story.catalog.directory.set_groups(APP.subject, {"group:staff"})

    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", allow("app:intranet")), "c.md": ("Three.", allow("group:staff"))})

    assert story.visible(APP) == {"One."}


@pytest.mark.parametrize("denied", ["app:intranet", "group:robots", "everyone"])
def test_what_denies_an_application_is_hidden_from_it_and_from_those_it_asks_for(story: Story, denied: str):
    story.catalog.directory.set_groups(APP.subject, {"group:robots"})

    story.sync({"a.md": ("One.", allow("everyone", "user:ann", deny=(denied,)))})

    assert story.visible(APP) == set()
    assert story.visible(replace(ANN, through=APP)) == set()


def test_through_an_application_a_user_reads_what_the_user_may(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", allow("user:ann")), "c.md": ("Three.", allow("user:bob"))})

    assert story.visible(replace(ANN, through=APP)) == {"One.", "Two."}


def test_through_an_application_nobody_reads_beyond_its_clearance(story: Story):
    describe(story, classification=Classification.CONFIDENTIAL)
    know(story.catalog, APP, clearance=Classification.INTERNAL)

    story.sync({"a.md": ("One.", allow("user:ann"))})

    assert story.visible(ANN) == {"One."}
    assert story.visible(replace(ANN, through=APP)) == set()


def test_an_application_alone_reads_nothing_confidential_even_if_everyone_may(story: Story):
    describe(story, classification=Classification.CONFIDENTIAL)

    story.sync({"a.md": ("One.", PUBLIC)})

    assert story.visible(ANN) == {"One."}
    assert story.visible(APP) == set()


def test_groups_in_a_credential_count_beside_those_of_the_directory(story: Story):
    story.catalog.directory.set_groups("group:team", {"group:staff"})

    story.sync({"a.md": ("One.", allow("group:staff")), "b.md": ("Two.", allow("group:staff", deny=("group:team",)))})

    assert story.visible(replace(ANN, groups=frozenset({"group:team"}))) == {"One."}
    assert story.visible(ANN) == set()


@pytest.mark.parametrize(
    ("mine", "theirs", "seen"),
    [
        pytest.param(None, None, {"One.", "Two."}, id="no limit"),
        pytest.param({"handbook"}, None, {"One."}, id="the user's credential"),
        pytest.param(None, {"wiki"}, {"Two."}, id="the application's credential"),
        pytest.param({"handbook"}, {"wiki"}, set(), id="both: what is in both"),
        pytest.param(set(), None, set(), id="no source is not every source"),
    ],
)
def test_a_credential_is_good_for_its_sources_only(story: Story, mine: set[str] | None, theirs: set[str] | None, seen: set[str]):
    story.sync({"a.md": ("One.", PUBLIC)})
    Story(story.catalog, source="wiki").sync({"a.md": ("Two.", PUBLIC)})
    through = None if theirs is None else replace(APP, sources=frozenset(theirs))

    asking = replace(ANN, sources=None if mine is None else frozenset(mine), through=through)

    assert story.visible(asking) == seen


def test_one_policy_in_two_sources_is_two_classes(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})
    Story(story.catalog, source="wiki").sync({"a.md": ("Three.", PUBLIC)})

    with story.catalog.database.read() as connection:
        counted = {(row.source, row.passages) for row in connection.execute(access_classes.select())}

    assert counted == {("handbook", 2), ("wiki", 1)}


def test_permissions_that_were_read_too_long_ago_are_not_believed(story: Story, clock: MovingClock):
    describe(story, max_permission_age_hours=2)
    story.sync({"a.md": ("One.", PUBLIC)})

    clock.at = STARTED + timedelta(hours=2) - timedelta(microseconds=1)
    before = story.visible(ANN)
    clock.at = STARTED + timedelta(hours=2)
    after = story.visible(ANN)

    assert (before, after) == ({"One."}, set())


def test_reading_permissions_again_makes_them_fresh(story: Story, clock: MovingClock):
    describe(story, max_permission_age_hours=2)
    story.sync({"a.md": ("One.", PUBLIC)})
    clock.at = STARTED + timedelta(hours=3)
    stale = story.visible(ANN)

    run = story.start()
    story.record(run, {"a.md": ("One.", PUBLIC)})

    assert stale == set()
    assert story.visible(ANN) == {"One."}


def test_the_services_default_age_holds_for_a_source_that_sets_none(story: Story, clock: MovingClock):
    story.sync({"a.md": ("One.", PUBLIC)})

    clock.at = STARTED + timedelta(hours=720)

    assert story.visible(ANN) == set()


def test_an_owner_can_have_a_warning_instead(story: Story, clock: MovingClock):
    describe(story, max_permission_age_hours=2, stale_permissions=StalePermissions.WARN)
    story.sync({"a.md": ("One.", PUBLIC)})
    clock.at = STARTED + timedelta(hours=3)

    gated = story.gated(ANN)

    assert [passage.text for passage in gated.readable] == ["One."]
    assert gated.stale_permissions


def test_only_a_source_of_which_something_is_shown_warns(story: Story, clock: MovingClock):
    describe(story, max_permission_age_hours=2, stale_permissions=StalePermissions.WARN)
    story.sync({"a.md": ("One.", allow("user:bob"))})
    clock.at = STARTED + timedelta(hours=3)

    assert not story.gated(ANN).stale_permissions


def test_a_membership_counts_from_the_next_request_on(story: Story):
    story.sync({"a.md": ("One.", allow("group:staff"))})
    seen = [story.visible(ANN)]

    story.catalog.directory.set_groups(ANN.subject, {"group:staff"})
    seen.append(story.visible(ANN))
    story.catalog.directory.set_groups(ANN.subject, set())
    seen.append(story.visible(ANN))

    assert seen == [set(), {"One."}, set()]


def test_a_nested_membership_counts_from_the_next_request_on(story: Story):
    story.catalog.directory.set_groups(ANN.subject, {"group:team"})
    story.sync({"a.md": ("One.", allow("group:staff"))})
    before = story.visible(ANN)

    story.catalog.directory.set_groups("group:team", {"group:staff"})

    assert (before, story.visible(ANN)) == (set(), {"One."})


def test_groups_nested_a_thousand_deep_still_deny(story: Story):
    story.catalog.directory.set_groups(ANN.subject, {"group:0"})
    for depth in range(1000):
        story.catalog.directory.set_groups(f"group:{depth}", {f"group:{depth + 1}"})

    story.sync({"a.md": ("One.", allow("everyone", deny=("group:1000",)))})

    assert story.visible(ANN) == set()
    assert story.visible(BOB) == {"One."}


def test_the_gate_refuses_a_catalog_older_than_what_the_caller_has_seen(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})

    with pytest.raises(RevisionNotReached):
        story.catalog.gate.gate(ANN, [], at_least=story.feed.revision() + 1)


def test_a_scope_counts_the_passages_it_reads(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC), "b.md": ("Three.", allow("user:bob"))})

    assert story.catalog.gate.scope(ANN).readable_passages == 2
    assert story.catalog.gate.scope(BOB).readable_passages == 3


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(lambda: Principal("https://login.example|ann"), id="a local id that looks like a foreign one"),
        pytest.param(lambda: Principal("x|ann", issuer="https://login.example|y"), id="an issuer with the separator"),
        pytest.param(lambda: replace(APP, through=APP), id="an application on behalf of an application"),
        pytest.param(lambda: replace(ANN, through=BOB), id="a user on behalf of a user"),
    ],
)
def test_no_two_principals_are_the_same_subject(principal: Callable[[], Principal]):
    with pytest.raises(InvalidInput, match="principal"):
        principal()


def test_policies_are_told_apart_by_their_fingerprints():
    policies = [AccessPolicy.of(["group:a"]), AccessPolicy.of([], ["group:a"]), AccessPolicy.of(["group:a", "group:b"]), AccessPolicy.of()]

    assert len({policy.fingerprint for policy in policies}) == len(policies)
