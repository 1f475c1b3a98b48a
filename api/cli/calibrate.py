"""`archivist calibrate`: how sure the service is of its answers, corrected by what people said of them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR
from retrieval.domain.calibration import Calibration
from retrieval.domain.clock import SystemClock, stamp
from retrieval.settings import Settings

app = typer.Typer(help="Confidence: learn from verdicts, list, show, activate.", no_args_is_help=True)

Version = Annotated[int, typer.Argument(min=0, metavar="VERSION", help="As `archivist calibrate list` shows it.")]


@app.command()
def learn(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would be worth and keep nothing.")] = False,
    html: Annotated[Path | None, typer.Option("--html", dir_okay=False, help="Write the reliability diagram here as a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn a calibration from the verdicts of reviewers and askers. It holds only once it is activated.

    Example: archivist calibrate learn --html calibration.html
    """
    from retrieval.evaluation import recalibrating  # noqa: PLC0415 - SciPy and scikit-learn take a second to load
    from retrieval.steps.confidence_model import shipped  # noqa: PLC0415 - with it

    settings = Settings()
    with catalog_of() as catalog:
        learned = recalibrating.learn(
            catalog.verdicts.all(),
            shipped(),
            least=settings.calibration_least_verdicts,
            at=SystemClock().now(),
            by=OPERATOR.subject,
        )
        kept = learned.calibration if dry_run else catalog.calibrations.keep(learned.calibration)
    if html is not None:
        html.write_text(learned.page(), encoding="utf-8")
    if as_json:
        print_json(_as_json(kept))
        return
    print_table(
        ["measure", *learned.figures],
        [[name, *(f"{values[name]:.4f}" for values in learned.figures.values())] for name in ("ece", "auroc", "aurc")],
        empty="",
    )
    note(
        "Nothing is kept."
        if dry_run
        else f"Kept as version {kept.version}: `archivist calibrate activate {kept.version}` puts it in force."
    )


@app.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """Every calibration, newest first."""
    with catalog_of() as catalog:
        found = catalog.calibrations.all()
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    rows = [
        [str(one.version), "yes" if one.is_active else "", stamp(one.at), one.by, one.model, str(one.card.get("answers"))] for one in found
    ]
    print_table(
        ["version", "active", "made", "by", "model", "answers"], rows, empty="There is none: `archivist calibrate learn` makes one."
    )


@app.command()
def show(version: Version) -> None:
    """One calibration with its card, as JSON."""
    with catalog_of() as catalog:
        print_json(_as_json(catalog.calibrations.get(version)))


@app.command()
def activate(version: Version) -> None:
    """Put a calibration in force, in every running process within seconds. 0: none, the shipped confidence as it is."""
    with catalog_of() as catalog:
        catalog.calibrations.activate(version, by=OPERATOR.subject)
    note(f"Version {version} is in force." if version else "The shipped confidence is in force as it is.")


def _as_json(calibration: Calibration) -> dict[str, object]:
    return {
        "version": calibration.version,
        "active": calibration.is_active,
        "at": stamp(calibration.at),
        "by": calibration.by,
        "model": calibration.model,
        "card": json.loads(json.dumps(calibration.card)),
        "groups": {group: curve.answers for group, curve in calibration.curves.items()},
    }
