"""Who may launch what through the Dagster UI: real GraphQL over HTTP, with and without an authenticating proxy before it."""

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.schema import create_schema
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.datastructures import Headers

from pipelines.callers import caller_of
from pipelines.coordinator import AttributedRunCoordinator
from pipelines.home import dagster_instance
from pipelines.mutations import DecidedBy, for_admins, known_mutations
from pipelines.webserver import guarded_app
from pipelines.who import ADMIN_TAG, DAEMON, GROUPS_TAG, PERSON_TAG, REFUSED, UNKNOWN
from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.settings import Settings
from tests.dagster_web import LOCATION, SECRET, Proxy, launch, proxying, serving, through_proxy

pytestmark = pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")  # Dagster reads its own

JOB = "check_source_health"
OWNER = through_proxy("dana", "staff, data-owners")
ADMIN = through_proxy("root", "archivist-admins")
ADD_PARTITION = """mutation($r: RepositorySelector!) {
  addDynamicPartition(repositorySelector: $r, partitionsDefName: "sources", partitionKey: "orphan") { __typename } }"""


@dataclass
class Web:
    """Dagster's server as it comes, the guarded one, and the proxy before the guarded one."""

    instance: dg.DagsterInstance
    context: WorkspaceProcessContext
    plain: str
    guarded: str
    proxy: Proxy

    def post(self, url: str, body: Any, headers: list[tuple[str, str]] | None = None) -> httpx.Response:
        return httpx.post(f"{url}/graphql", json=body, headers=headers or [], timeout=60, trust_env=False)

    def launched(self, headers: list[tuple[str, str]] | None = None, **tags: str) -> dg.DagsterRun:
        """The run as it stands after being launched on the plain server."""
        return self.run_of(self.post(self.plain, launch(JOB, **tags), headers))

    def run_of(self, response: httpx.Response) -> dg.DagsterRun:
        found = response.json()["data"]["launchRun"]
        assert found["__typename"] == "LaunchRunSuccess", found
        run = self.instance.get_run_by_id(found["run"]["runId"])
        assert run is not None
        return run

    def said(self, run: dg.DagsterRun) -> str:
        return "\n".join(entry.message for entry in self.instance.all_logs(run.run_id))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ARCHIVIST_DATA_DIRECTORY", str(tmp_path_factory.mktemp("guarded")))
        environment.setenv("ARCHIVIST_DAGSTER_PEOPLE", "proxy")
        environment.setenv("ARCHIVIST_DAGSTER_PROXY_SECRET", SECRET)
        settings = Settings()
        origin = LoadableTargetOrigin(executable_path=sys.executable, module_name=LOCATION)
        target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin, location_name=LOCATION))
        with (
            dagster_instance(settings) as instance,
            WorkspaceProcessContext(instance, target) as context,
            serving(create_app_from_workspace_process_context(context)) as plain,
            serving(guarded_app(context, settings)) as guarded,
            proxying(guarded) as proxy,
        ):
            proxy.sessions = {
                "session=dana": ("dana", "data-owners"),
                "session=sam": ("sam", "staff"),
                "session=root": ("root", "archivist-admins"),
            }
            yield Web(instance, context, plain, guarded, proxy)


def _person(run: dg.DagsterRun) -> tuple[str, str, str]:
    return run.tags[PERSON_TAG], run.tags[GROUPS_TAG], run.tags[ADMIN_TAG]


def test_a_data_owner_launches_runs_and_is_written_on_them(web: Web) -> None:
    run = web.launched(OWNER)

    assert run.status is dg.DagsterRunStatus.QUEUED
    assert _person(run) == ("user:dana", '["group:data-owners", "group:staff"]', "no")
    assert _person(web.launched(ADMIN)) == ("user:root", '["group:archivist-admins"]', "yes")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param([], "did not come through", id="anonymous"),
        pytest.param([("X-Forwarded-User", "dana"), ("X-Forwarded-Groups", "data-owners")], "did not come through", id="around the proxy"),
        pytest.param([*through_proxy("dana", "data-owners")[1:], ("X-Archivist-Proxy", SECRET[:-1])], "did not come", id="wrong secret"),
        pytest.param([*OWNER, ("X-Archivist-Proxy", SECRET)], "more than once", id="secret twice"),
        pytest.param([*OWNER, ("X-Forwarded-User", "root")], "more than once", id="person twice"),
        pytest.param([*OWNER, ("x-forwarded-groups", "archivist-admins")], "more than once", id="groups twice"),
        pytest.param(through_proxy("", "data-owners"), "names nobody", id="nobody signed in"),
        pytest.param(through_proxy("dana, root", "data-owners"), "names nobody", id="two people joined by a comma"),
        pytest.param(through_proxy("https://login.example|dana", "data-owners"), "names nobody", id="a person of another issuer"),
        pytest.param(through_proxy("dana", "staff"), "members of data-owners", id="wrong group"),
        pytest.param(through_proxy("dana", "not-data-owners,data-owners-2"), "members of data-owners", id="groups of similar names"),
        pytest.param(through_proxy("dana", "data-owners archivist-admins"), "no list", id="a group with a blank"),
        pytest.param([*OWNER, ("Sec-Fetch-Site", "cross-site")], "another site", id="a page of another site"),
    ],
)
def test_who_is_no_data_owner_launches_nothing(web: Web, headers: list[tuple[str, str]], why: str) -> None:
    spoofed = {
        "archivist__person": "user:root",
        "archivist__admin": "yes",
        "dagster__sensor_name": "source_registry",
        "dagster__max_retries": "3",
    }

    run = web.launched(headers, **spoofed)

    assert run.status is dg.DagsterRunStatus.CANCELED
    assert _person(run) == (REFUSED, "[]", "no")
    assert why in web.said(run)
    assert SECRET[:-1] not in web.said(run)


def test_a_job_about_every_source_is_launched_by_administrators(web: Web):
    by_owner, by_admin = (web.run_of(web.post(web.plain, launch("reverse_embedding_model"), headers)) for headers in (OWNER, ADMIN))

    assert (by_owner.status, by_admin.status) == (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.QUEUED)
    assert "members of archivist-admins" in web.said(by_owner)


def test_tags_that_a_launch_brings_are_written_over(web: Web) -> None:
    run = web.launched(OWNER, archivist__person="user:root", archivist__groups='["group:finance"]', archivist__admin="yes")

    assert _person(run) == ("user:dana", '["group:data-owners", "group:staff"]', "no")


@pytest.mark.parametrize(
    "injected",
    [
        pytest.param("dana\r\nX-Forwarded-Groups: archivist-admins", id="a second header"),
        pytest.param("dana\nX-Forwarded-Groups: archivist-admins", id="a second header after half a line break"),
        pytest.param("dana\r\n root", id="a folded line"),
        pytest.param("dana\x00root", id="a zero"),
    ],
)
def test_a_value_that_breaks_its_line_launches_nothing(web: Web, injected: str) -> None:
    before = web.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    body = json.dumps(launch(JOB))
    sent = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    lines = [f"{name}: {value}" for name, value in [*sent, *through_proxy(injected, "data-owners")]]
    port = int(web.plain.rpartition(":")[2])

    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall("\r\n".join(["POST /graphql HTTP/1.1", *lines, "", body]).encode())
        answered = b"".join(iter(lambda: raw.recv(65_536), b""))

    assert answered.startswith(b"HTTP/1.1")
    assert web.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])) == before


def test_the_daemon_launches_as_itself_whatever_a_tag_says(web: Web) -> None:
    run = _submitted_by_daemon(web, web.launched([]), {PERSON_TAG: "user:root", ADMIN_TAG: "yes"}, parent=None)

    assert run.status is dg.DagsterRunStatus.QUEUED
    assert _person(run) == (DAEMON, "[]", "no")


def test_the_daemon_repeats_a_run_in_the_name_of_who_launched_it_and_no_refused_one(web: Web) -> None:
    let_in, refused = web.launched(OWNER), web.launched([])

    repeated = _submitted_by_daemon(web, let_in, {}, parent=let_in.run_id)
    kept_out = _submitted_by_daemon(web, refused, {PERSON_TAG: "user:root"}, parent=refused.run_id)
    of_nothing = _submitted_by_daemon(web, refused, {}, parent="00000000-0000-0000-0000-000000000000")

    assert repeated.status is dg.DagsterRunStatus.QUEUED
    assert _person(repeated) == _person(let_in)
    assert [run.status for run in (kept_out, of_nothing)] == [dg.DagsterRunStatus.CANCELED] * 2
    assert _person(kept_out) == (REFUSED, "[]", "no")


def test_a_run_that_was_never_looked_at_is_not_repeated_whatever_its_tags_say(web: Web):
    never = _made(web, web.launched([]), {PERSON_TAG: "user:root", ADMIN_TAG: "yes"})

    repeated = _submitted_by_daemon(web, never, {}, parent=never.run_id)

    assert repeated.status is dg.DagsterRunStatus.CANCELED


def test_another_machine_is_nobody_where_nobody_is_authenticated():
    for client in ("192.0.2.7", "::ffff:192.0.2.7", "localhost.example", None):
        with pytest.raises(NotAuthenticated):
            caller_of(Headers({}), client, Settings(dagster_people="nobody"))
    assert caller_of(Headers({}), "::1", Settings(dagster_people="nobody")).principal is None


def _submitted_by_daemon(web: Web, like: dg.DagsterRun, tags: dict[str, str], *, parent: str | None) -> dg.DagsterRun:
    """A run as daemons submit them: without a request."""
    made = _made(web, like, tags, parent=parent)
    return web.instance.submit_run(made.run_id, web.context.create_request_context())


def _made(web: Web, like: dg.DagsterRun, tags: dict[str, str], *, parent: str | None = None) -> dg.DagsterRun:
    """A run that is not submitted yet."""
    request = web.context.create_request_context()
    job = request.get_code_location(LOCATION).get_repository("__repository__").get_full_job(JOB)
    return web.instance.create_run(
        job_name=JOB,
        run_id=None,
        run_config={},
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags=tags,
        root_run_id=parent,
        parent_run_id=parent,
        step_keys_to_execute=None,
        execution_plan_snapshot=None,
        job_snapshot=None,
        parent_job_snapshot=None,
        asset_selection=None,
        asset_check_selection=None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=like.remote_job_origin,
        job_code_origin=job.get_python_origin(),
        asset_graph=request.asset_graph,
    )


def test_where_nobody_is_authenticated_only_this_machine_launches(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    coordinator = web.instance.run_coordinator
    assert isinstance(coordinator, AttributedRunCoordinator)
    monkeypatch.setitem(vars(coordinator), "settings", Settings(dagster_people="nobody"))

    here = web.launched(archivist__person="user:root", archivist__admin="yes")
    elsewhere = web.launched([("X-Forwarded-For", "192.0.2.1")])

    assert here.status is dg.DagsterRunStatus.QUEUED
    assert _person(here) == (UNKNOWN, "[]", "no")
    assert elsewhere.status is dg.DagsterRunStatus.CANCELED


def test_a_short_secret_lets_nobody_in(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(web.instance.run_coordinator), "settings", Settings(dagster_people="proxy", dagster_proxy_secret="short"))

    run = web.launched([("X-Archivist-Proxy", "short"), *OWNER[1:]])

    assert run.status is dg.DagsterRunStatus.CANCELED


def test_behind_the_proxy_people_are_who_they_signed_in_as(web: Web) -> None:
    spoofed = through_proxy("root", "archivist-admins")

    dana = web.post(web.proxy.url, launch(JOB), [("Cookie", "session=dana"), *spoofed])
    sam = web.post(web.proxy.url, launch(JOB), [("Cookie", "session=sam"), *spoofed])
    nobody = web.post(web.proxy.url, launch(JOB), spoofed)

    assert _person(web.run_of(dana))[0] == "user:dana"
    assert web.run_of(sam).status is dg.DagsterRunStatus.CANCELED
    assert nobody.status_code == 401


def test_what_the_coordinator_does_not_see_is_for_administrators(web: Web) -> None:
    selector = {"r": {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}}
    body = {"query": ADD_PARTITION, "variables": selector}

    owner = web.post(web.proxy.url, body, [("Cookie", "session=dana")])
    reported = httpx.post(f"{web.guarded}/report_asset_materialization/passages", headers=OWNER, trust_env=False)
    read = web.post(web.proxy.url, {"query": "{ runsOrError { __typename } }"}, [("Cookie", "session=sam")])

    assert (owner.status_code, reported.status_code, read.status_code) == (403, 403, 200)
    assert "addDynamicPartition" in owner.json()["errors"][0]["message"]
    assert web.instance.get_dynamic_partitions("sources") == []
    assert (
        web.post(web.proxy.url, body, [("Cookie", "session=root")]).json()["data"]["addDynamicPartition"]["__typename"]
        == "AddDynamicPartitionSuccess"
    )


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"method": "GET", "params": {"query": "mutation { reloadWorkspace { __typename } }"}}, id="in the address"),
        pytest.param({"method": "POST", "params": {"query": "mutation { reloadWorkspace { __typename } }"}}, id="in a form's address"),
        pytest.param(
            {"method": "GET", "params": {"query": "mutation { reloadWorkspace { __typename } }"}, "json": {"query": "{ version }"}},
            id="in the address beside a harmless body",
        ),
        pytest.param({"method": "POST", "content": "mutation { reloadWorkspace { __typename } }"}, id="as application/graphql"),
        pytest.param({"method": "POST", "json": [{"query": "mutation { reloadWorkspace { __typename } }"}]}, id="in a list"),
        pytest.param(
            {"method": "POST", "content": b'{"query": "mutation { rel\\u006fadWorkspace { __typename } }"}'}, id="with JSON escapes"
        ),
        pytest.param({"method": "POST", "json": {"query": "mutation { harmless: reloadWorkspace { __typename } }"}}, id="under an alias"),
    ],
)
def test_a_mutation_is_found_however_it_is_sent(web: Web, request_: dict[str, Any]) -> None:
    kind = "application/graphql" if isinstance(request_.get("content"), str) else "application/json"
    headers = [*OWNER] if "params" in request_ or "json" in request_ else [*OWNER, ("Content-Type", kind)]

    response = httpx.request(url=f"{web.guarded}/graphql", headers=headers, trust_env=False, **request_)

    assert response.status_code in (400, 403)


def test_a_mutation_is_found_wherever_it_hides_in_the_document() -> None:
    spread = "query A { version } mutation B { ...x } fragment x on Mutation { ... on Mutation { a: wipeAssets { __typename } ...x } }"

    assert for_admins(spread) == ("wipeAssets",)
    assert for_admins("mutation { launchRun { __typename } setNuxSeen }") == ()
    assert for_admins("mutation { somethingNew }") == ("somethingNew",)
    assert for_admins('query { wipeAssets(note: "mutation") }') == ()
    for unreadable in ("mutation {", "{" * 5_000, "{ a " * 20_001):
        with pytest.raises(InvalidInput):
            for_admins(unreadable)


def test_every_mutation_of_the_installed_dagster_is_listed_once() -> None:
    mutations = create_schema().graphql_schema.mutation_type
    listed = Path("deploy/proxy/mutations.yaml").read_text()

    assert mutations is not None
    assert set(mutations.fields) == set(known_mutations())
    assert all(listed.count(f"\n  {name}:") == 1 for name in mutations.fields)
    assert {name for name, decided_by in known_mutations().items() if decided_by is DecidedBy.COORDINATOR} == {
        name for name in mutations.fields if name.startswith("launch") and name != "launchPartitionBackfill"
    }
