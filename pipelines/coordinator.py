"""Who may launch a run: Dagster asks nobody, so every submission is looked at here, and what is not understood is refused.

It sees runs alone. What else can be done through the UI is in `mutations.yaml`, which `pipelines/webserver.py` enforces.
"""

import json
from collections.abc import Mapping
from functools import cached_property

from dagster import DagsterEventType, DagsterRun, DagsterRunStatus
from dagster._core.events import EngineEventData
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator

from pipelines.callers import Caller, caller_of, check_may_launch
from pipelines.who import ADMIN_TAG, DAEMON, GROUPS_TAG, PERSON_TAG, REFUSED, UNKNOWN
from retrieval.domain.errors import NotAuthenticated, NotAuthorised
from retrieval.settings import Settings

BY_DAEMON = {PERSON_TAG: DAEMON, GROUPS_TAG: "[]", ADMIN_TAG: "no"}
BY_NOBODY = {PERSON_TAG: REFUSED, GROUPS_TAG: "[]", ADMIN_TAG: "no"}


class AttributedRunCoordinator(QueuedRunCoordinator):
    """Queues the runs of people whom the proxy names and of the daemon, and writes on each who it is of.

    A refused run ends as canceled, never as failed: the daemon repeats failed runs that ask for it by a tag, and would let them in.
    """

    @cached_property
    def settings(self) -> Settings:
        return Settings()

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """The run, queued; or canceled, with the reason in its log."""
        run = context.dagster_run
        if run.status is not DagsterRunStatus.NOT_STARTED:
            return super().submit_run(context)
        self._instance.add_run_tags(run.run_id, BY_NOBODY)
        try:
            tags = self._attributed(context, run)
        except (NotAuthenticated, NotAuthorised) as refusal:
            return self._refuse(run, str(refusal))
        self._instance.add_run_tags(run.run_id, tags)
        return super().submit_run(context)

    def _attributed(self, context: SubmitRunContext, run: DagsterRun) -> Mapping[str, str]:
        """The tags that say whose run it is, whatever tags it came with.

        Raises:
            NotAuthenticated, NotAuthorised: it is to be refused.
        """
        request = getattr(context.workspace, "source", None)
        if request is None:
            return self._repeated(run.parent_run_id) if run.parent_run_id else BY_DAEMON
        client = getattr(request, "client", None)
        caller = caller_of(request.headers, client.host if client else None, self.settings)
        check_may_launch(caller, run.job_name, self.settings)
        return _tags_of(caller)

    def _repeated(self, parent_id: str) -> Mapping[str, str]:
        """The daemon repeats a run in the name of whoever launched it, if that run was ever let in."""
        parent = self._instance.get_run_by_id(parent_id)
        let_in = self._instance.all_logs(parent_id, of_type=DagsterEventType.PIPELINE_ENQUEUED)
        if parent is None or not let_in or parent.tags.get(PERSON_TAG, REFUSED) == REFUSED:
            raise NotAuthenticated("the run that is repeated was never let in")
        return {tag: parent.tags.get(tag, default) for tag, default in BY_NOBODY.items()}

    def _refuse(self, run: DagsterRun, why: str) -> DagsterRun:
        message = f"This run was refused: {why}."
        self._instance.report_engine_event(message, run, EngineEventData())
        self._instance.report_run_canceled(run, message=message)
        return self._instance.get_run_by_id(run.run_id) or run


def _tags_of(caller: Caller) -> Mapping[str, str]:
    if caller.principal is None:
        return {PERSON_TAG: UNKNOWN, GROUPS_TAG: "[]", ADMIN_TAG: "no"}
    groups = json.dumps(sorted(caller.principal.groups))
    return {PERSON_TAG: caller.principal.subject, GROUPS_TAG: groups, ADMIN_TAG: "yes" if caller.is_admin else "no"}
