"""Go back to earlier versions: `python -m pipelines.rollback SOURCE --revision 12`. Shows what would change; `--yes` does it."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from pipelines.console import console, error_lines, log_to_stderr
from pipelines.stages.after_rollback import go_back
from retrieval.bootstrap import open_ingestion
from retrieval.domain.errors import ArchivistError
from retrieval.domain.permissions import check_subject
from retrieval.domain.versions import RollbackPlan, RollbackRequest
from retrieval.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 when nothing could go back."""
    options = _parser().parse_args(arguments)
    log_to_stderr()
    try:
        check_subject(options.by, field="--by")
        request = _request(options)
        with open_ingestion(Settings()) as ingestion:
            if options.yes:
                done = go_back(ingestion, request, by=options.by, without_refused=options.without_refused)
                _print(done.plan, revision=done.revision, as_json=options.json)
            else:
                _print(ingestion.catalog.rollback.plan(request, model=ingestion.embedder.model), revision=None, as_json=options.json)
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.rollback", description=__doc__)
    parser.add_argument("source", help="the source's id")
    parser.add_argument("--revision", type=int, help="the catalog's revision to go back to")
    parser.add_argument("--time", type=datetime.fromisoformat, help="the moment to go back to, UTC where it has no zone")
    parser.add_argument("--before-run", metavar="RUN", help="the run before whose changes to go back")
    parser.add_argument("--undo-run", metavar="RUN", help="the run whose own changes to take back")
    parser.add_argument("--document", metavar="ID", help="the only document to change")
    parser.add_argument("--version", type=int, help="number of the document's version to go back to")
    parser.add_argument("--bring-back", action="store_true", help="bring back what was withdrawn since, too")
    parser.add_argument("--without-refused", action="store_true", help="go back although some documents cannot")
    parser.add_argument("--by", default="app:cli", metavar="SUBJECT", help="who goes back, for the record (default: app:cli)")
    parser.add_argument("--yes", action="store_true", help="do it; without this, what would change is shown")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _request(options: argparse.Namespace) -> RollbackRequest:
    at = options.time if options.time is None or options.time.tzinfo is not None else options.time.replace(tzinfo=UTC)
    given = {name: getattr(options, name) for name in ("source", "document", "revision", "before_run", "undo_run", "version", "bring_back")}
    return RollbackRequest(at=at, **given)


def _print(plan: RollbackPlan, *, revision: int | None, as_json: bool) -> None:
    changes = [{**vars(change), "kind": change.kind.value, "refused": change.refused and change.refused.value} for change in plan.changes]
    if as_json:
        said = {"revision": revision, "counts": dict(plan.counts), "left_withdrawn": plan.left_withdrawn, "changes": changes}
        json.dump(said, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    for change in changes:
        why_not = f" - no: {change['refused']}" if change["refused"] else ""
        sys.stdout.write(f"{change['key']}: {change['kind']}, version {change['from_number']} to {change['to_number']}{why_not}\n")
    counts = ", ".join(f"{what} {count}" for what, count in plan.counts.items())
    done = "Nothing was changed: --yes does it." if revision is None else f"Done at revision {revision}."
    sys.stdout.write(f"{counts}; withdrawn since and not asked back {plan.left_withdrawn}. {done}\n")


if __name__ == "__main__":
    sys.exit(main())
