"""What data owners fill in to go back, to release, to remove old versions and to erase. Refused before a run exists."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines.jobs.forms import RegistrationRefused
from retrieval.domain.erasure import ErasureKind, ErasureRequest
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.versions import RollbackRequest

Form = Mapping[str, Any]

SOURCE = dg.Field(dg.String, description="The source's id.")
DRY_RUN = dg.Field(dg.Bool, default_value=True, is_required=False, description="true: only show what would change. false: do it.")
_MORE = "Choose exactly one of revision, time, before_run, undo_run and version."


def _optional(type_: Any, default: object, description: str) -> dg.Field:  # noqa: ANN401 - Dagster's own types
    return dg.Field(type_, default_value=default, is_required=False, description=description)


ROLLBACK_FIELDS = {
    "source": SOURCE,
    "revision": _optional(dg.Int, 0, f"The catalog's revision to go back to; 0: not said. {_MORE}"),
    "time": _optional(dg.String, "", "The moment to go back to, in UTC. For example: 2026-03-01T09:00"),
    "before_run": _optional(dg.String, "", "Id of the run before whose changes to go back."),
    "undo_run": _optional(dg.String, "", "Id of the run whose own changes to take back; what later runs changed stays."),
    "version": _optional(dg.Int, 0, "Number of the document's version to go back to; 0: not said. Needs document."),
    "document": _optional(dg.String, "", "Id of the only document to change; empty: all of the source."),
    "bring_back": _optional(dg.Bool, default=False, description="Whether documents that were withdrawn since come back, too."),
    "without_refused": _optional(dg.Bool, default=False, description="Whether to go back although some documents cannot."),
    "dry_run": DRY_RUN,
}
RELEASE_FIELDS = {
    "source": SOURCE,
    "document": _optional(dg.String, "", "Id of the only document to release; empty: all that are held."),
    "dry_run": DRY_RUN,
}
RETENTION_FIELDS = {"source": _optional(dg.String, "", "The source's id; empty: every source."), "dry_run": DRY_RUN}
ERASE_FIELDS = {
    "kind": dg.Field(
        dg.Enum("Erased", [dg.EnumValue(kind.value) for kind in ErasureKind]), description="What to erase: document, source or person."
    ),
    "source": _optional(dg.String, "", "The source's id. For a person: the only source to search; empty: all of them."),
    "document": _optional(dg.String, "", "Id of the document."),
    "subject": _optional(dg.String, "", "The person whose questions go. For example: user:ann"),
    "words": _optional([dg.String], [], "What names the person in documents, such as an e-mail address. Documents that say it now go."),
    "reason": dg.Field(dg.String, description="Why, for the signed report. Without personal data."),
    "confirm": _optional(dg.String, "", "With dry_run: false, the word ERASE: nothing brings back what is erased."),
    "dry_run": DRY_RUN,
}


def rollback_of(form: Form) -> RollbackRequest:
    """Raises InvalidInput under the names of the form's fields."""
    return RollbackRequest(
        source=form["source"],
        document=form["document"] or None,
        revision=form["revision"] or None,
        at=_moment(form["time"]),
        before_run=form["before_run"] or None,
        undo_run=form["undo_run"] or None,
        version=form["version"] or None,
        bring_back=form["bring_back"],
    )


def erasure_of(form: Form) -> ErasureRequest:
    """Raises InvalidInput under the names of the form's fields."""
    if not form["dry_run"] and form["confirm"] != "ERASE":
        raise InvalidInput.of("confirm", "must be the word ERASE: nothing brings back what is erased")
    return ErasureRequest(
        kind=ErasureKind(form["kind"]),
        reason=form["reason"],
        source=form["source"],
        document=form["document"],
        subject=form["subject"],
        words=tuple(form["words"]),
    )


def checked_config(op: str, fields: Mapping[str, dg.Field], check: Callable[[Form], object]) -> dg.ConfigMapping:
    """From a filled-in form to the op's configuration, or a refusal that names each wrong field."""

    def mapping(form: Form) -> dict[str, object]:
        try:
            check(form)
        except InvalidInput as error:
            raise RegistrationRefused(tuple(map(_in_form, error.problems))) from error
        return {"ops": {op: {"config": dict(form)}}}

    return dg.ConfigMapping(config_fn=mapping, config_schema=dict(fields))


def _in_form(problem: FieldProblem) -> FieldProblem:
    return FieldProblem({"at": "time"}.get(problem.field, problem.field), problem.problem, problem.limit)


def _moment(written: str) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise InvalidInput.of("time", "a moment in UTC such as 2026-03-01T09:00") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
