"""`archivist eval`: how well this installation ranks, on your own golden questions and on judged collections, and what a change changed.

For whoever works on the machine itself: questions are content, so none of it is to be had over HTTP.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import golden as golden_questions
from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.errors import InvalidInput
from retrieval.domain.evaluations import EvaluatedQuery, Evaluation
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.evaluation.comparison import Comparison

app = typer.Typer(help="Ranking quality: run, list, show, compare, forget; golden questions.", no_args_is_help=True)
app.command("golden")(golden_questions.export)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `archivist eval list` shows it.")]
Metric = Annotated[str, typer.Option("--metric", help="What queries are ordered and compared by.")]
Shown = Annotated[int | None, typer.Option("--queries", min=0, help="Most queries to list. Default: ARCHIVIST_EVALUATION_SHOWN_QUERIES.")]
COLUMNS = ("ndcg@10", "recall@5", "recall@100", "mrr@10")
DEFAULT_METRIC = "ndcg@10"


@app.command()
def run(
    *,
    golden: Annotated[
        list[Path] | None,
        typer.Option("--golden", exists=True, dir_okay=False, readable=True, help="A YAML or JSONL file of golden questions. Repeatable."),
    ] = None,
    collection: Annotated[
        list[Path] | None,
        typer.Option("--collection", exists=True, file_okay=False, help="A folder of a judged collection in the BEIR format. Repeatable."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Which queries of collections: all, test, dev or train.")] = "all",
    peer: Annotated[list[str] | None, typer.Option("--peer", help="On collections, measure this one too. Repeatable.")] = None,
    html: Annotated[Path | None, typer.Option("--html", dir_okay=False, help="Write the report here as a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask questions whose answers are known, and keep how well they were answered.

    Golden questions are asked of this installation, each as the principal it names; the API may be running or not. A question whose
    relevant documents that principal may not read is a mistake of the question: it is told, left out, and the command ends with 1.

    Example: archivist eval run --golden questions.yaml --html report.html
    """
    if not golden and not collection:
        raise InvalidInput.of("golden", "name a file with --golden, or a folder with --collection")
    from api.cli.evaluating import Evaluating  # noqa: PLC0415 - the model takes seconds to load

    evaluating = Evaluating(Settings())
    evaluating.golden(golden or [])
    evaluating.collections(collection or [], split=split, peers=peer or [])
    if html is not None:
        evaluating.write_page(html)
    if as_json:
        print_json({"evaluations": [_described(kept) for kept in evaluating.kept], "mistakes": [vars(one) for one in evaluating.mistakes]})
    else:
        _print_evaluations(evaluating.kept)
    for mistake in evaluating.mistakes:
        note(f"{mistake.place}: {mistake.document}: {mistake.problem}; the question was left out.")
    if evaluating.mistakes:
        raise typer.Exit(1)


@app.command("list")
def list_evaluations(
    *,
    count: Annotated[int, typer.Option("--count", min=1, max=1_000, help="Most evaluations to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was measured, newest first."""
    with catalog_of() as catalog:
        listed = catalog.evaluations.latest(count=count)
    if as_json:
        print_json([_described(evaluation) for evaluation in listed])
        return
    _print_evaluations(listed)


@app.command()
def show(evaluation: Id, *, metric: Metric = DEFAULT_METRIC, queries: Shown = None, as_json: AsJson = False) -> None:
    """Show one: its figures, those of each tag, its settings, and the queries that were answered worst."""
    with catalog_of() as catalog:
        found, asked = catalog.evaluations.get(evaluation), catalog.evaluations.queries(evaluation)
    _check_metric(metric, found)
    worst = sorted((query for query in asked if metric in query.scores), key=lambda query: (query.scores[metric], query.id))
    worst = worst[: _most(queries)]
    if as_json:
        shown = [{"id": one.id, "text": one.text, "asked_by": one.asked_by, "scores": one.scores, "found": one.found} for one in worst]
        print_json({**_described(found), "settings": found.settings, "tags": _by_tag(asked), "queries": shown})
        return
    note(f"{found.collection}, {found.configuration}: {found.queries} queries at {found.at}, model {found.model}, program {found.commit}")
    print_table(["metric", "mean"], [[name, f"{value:.4f}"] for name, value in found.figures.items()], empty="")
    if tags := _by_tag(asked):
        rows = [[tag, figures["queries"], *(_figure(figures, name) for name in COLUMNS)] for tag, figures in tags.items()]
        print_table(["tag", "queries", *COLUMNS], rows, empty="")
    rows = [[one.id, one.asked_by or "-", f"{one.scores[metric]:.3f}", one.text] for one in worst]
    print_table(["query", "asked by", metric, "text"], rows, empty="")
    print_table(["setting", "value"], [[name, value] for name, value in found.settings.items()], empty="")


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="The earlier one, as `archivist eval list` shows it.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The later one. It must have been asked the same questions.")],
    *,
    metric: Metric = DEFAULT_METRIC,
    queries: Shown = None,
    as_json: AsJson = False,
) -> None:
    """Compare two on the same questions: the difference, how far it could be luck, and the queries that changed most.

    Bounds hold with a confidence of 95 %, by a paired bootstrap over the queries; p is how probable so great a difference would be if there
    were none.
    """
    from retrieval.evaluation.comparison import compare_each  # noqa: PLC0415 - NumPy

    with catalog_of() as catalog:
        a, b = catalog.evaluations.get(first), catalog.evaluations.get(second)
        before, after = catalog.evaluations.queries(first), catalog.evaluations.queries(second)
    if a.questions_hash != b.questions_hash:
        raise InvalidInput.of("evaluation", "the two were not asked the same questions, or not with the same relevant documents")
    _check_metric(metric, a, b)
    names = [name for name in a.figures if name in b.figures]
    values = [{name: {one.id: one.scores[name] for one in asked if name in one.scores} for name in names} for asked in (before, after)]
    compared = {name: compare_each({name: values[0][name]}, {name: values[1][name]}, resamples=_resamples())[name] for name in names}
    changed = compared[metric].changes[: _most(queries)]
    texts = {one.id: one.text for one in before}
    differing = {
        name: [a.settings.get(name), b.settings.get(name)]
        for name in sorted({*a.settings, *b.settings})
        if a.settings.get(name) != b.settings.get(name)
    }
    if as_json:
        listed = [{"id": one.query, "text": texts[one.query], "first": one.first, "second": one.second} for one in changed]
        print_json({"metrics": {name: _numbers(found) for name, found in compared.items()}, "settings": differing, "queries": listed})
        return
    _print_comparison(compared)
    rows = [[one.query, f"{one.first:.3f}", f"{one.second:.3f}", f"{one.difference:+.3f}", texts[one.query]] for one in changed]
    print_table(["query", "A", "B", metric, "text"], rows, empty=f"No query's {metric} changed.")
    print_table(["setting", "A", "B"], [[name, *values] for name, values in differing.items()], empty="The settings are the same.")


@app.command()
def forget(ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids as `archivist eval list` shows them.")]) -> None:
    """Delete evaluations with their questions."""
    with catalog_of() as catalog:
        for evaluation in ids:
            catalog.evaluations.forget(evaluation)
            note(f"Forgot {evaluation}.")


def _print_evaluations(listed: list[Evaluation]) -> None:
    columns = ("id", "at", "collection", "split", "configuration", "queries", "settings", "index", "program", *COLUMNS)
    rows = [
        [
            *(one.id, one.at, one.collection, one.split, one.configuration, one.queries, one.settings_hash, one.index_revision, one.commit),
            *(_figure(one.figures, name) for name in COLUMNS),
        ]
        for one in listed
    ]
    print_table(columns, rows, empty="Nothing has been measured yet. Start with: archivist eval run --golden FILE")


def _print_comparison(compared: "dict[str, Comparison]") -> None:
    from retrieval.evaluation.comparison import written_p  # noqa: PLC0415 - NumPy

    rows = [
        [
            *(name, f"{found.first:.4f}", f"{found.second:.4f}", f"{found.difference:+.4f}"),
            *(f"{found.low:+.4f} to {found.high:+.4f}", written_p(found.p), found.wins, found.ties, found.losses),
        ]
        for name, found in compared.items()
    ]
    print_table(["metric", "A", "B", "difference", "95 %", "p", "better", "equal", "worse"], rows, empty="")


def _described(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.id,
        "run": evaluation.run,
        "at": evaluation.at,
        "collection": evaluation.collection,
        "split": evaluation.split,
        "configuration": evaluation.configuration,
        "queries": evaluation.queries,
        "questions_hash": evaluation.questions_hash,
        "settings_hash": evaluation.settings_hash,
        "model": evaluation.model,
        "index_revision": evaluation.index_revision,
        "commit": evaluation.commit,
        "figures": dict(evaluation.figures),
    }


def _numbers(comparison: "Comparison") -> dict[str, float]:
    names = ("first", "second", "difference", "low", "high", "p", "wins", "ties", "losses")
    return {name: getattr(comparison, name) for name in names}


def _by_tag(asked: list[EvaluatedQuery]) -> dict[str, dict[str, float]]:
    """Tag to its figures, with how many queries have it."""
    found: dict[str, dict[str, float]] = {}
    for tag in sorted({tag for query in asked for tag in query.tags}):
        tagged = [query.scores for query in asked if tag in query.tags]
        means = {name: sum(scores.get(name, 0.0) for scores in tagged) / len(tagged) for name in COLUMNS}
        found[tag] = {"queries": len(tagged), **means}
    return found


def _figure(figures: Any, name: str) -> str | None:  # noqa: ANN401 - a mapping, kept or computed
    return f"{figures[name]:.4f}" if name in figures else None


def _check_metric(metric: str, *evaluations: Evaluation) -> None:
    known = sorted(set.intersection(*(set(evaluation.figures) for evaluation in evaluations)))
    if metric not in known:
        raise InvalidInput.of("metric", "is none of those measured", limit=", ".join(known))


def _most(queries: int | None) -> int:
    return Settings().evaluation_shown_queries if queries is None else queries


def _resamples() -> int:
    return Settings().evaluation_resamples
