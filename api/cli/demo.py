"""`archivist demo`: the sample company, ingested by Dagster, and what two of its people get to the same questions."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.client import ApiClient
from api.cli.demo_company import DemoCompany, DemoQuestion, open_company
from api.cli.demo_report import Asked, check, print_answers, print_next_steps
from api.cli.demo_review import check_handed_over, hand_over, print_handed_over
from api.cli.opening import catalog_of
from api.cli.output import console
from api.cli.stack import Stack
from api.cli.up import watch
from retrieval.domain.errors import ArchivistError, Unavailable
from retrieval.domain.ingestion import FAILED
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.bootstrap import Catalog

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
INGEST_SECONDS = 900
"""Longest wait for the sample sources. They take a minute on two old cores."""
_POLL_SECONDS = 0.25


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Check what was printed, stop everything and exit: 0 if all was right.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Start everything, ingest the sample company and ask it questions as two people. Stays up until Ctrl-C."""
    settings = Settings()
    started = time.monotonic()
    out = console()
    out.print(
        "[bold]Archivist[/] starts the API and Dagster, ingests a small company, answers two of its people, and hands a question over.\n"
    )
    with Stack(settings) as stack, catalog_of() as catalog:
        stack.wait_until_up("api")
        stack.wait_until_up("dagster")
        out.print(f"API      {stack.api_url}\nDagster  {stack.dagster_url}\n")
        company = open_company(SAMPLES, catalog, settings)
        _register()
        _wait_for_sources(catalog, stack, company)
        stack.wait_until_ready()
        _wait_for_index(catalog)
        asked = [_ask(settings, company, question) for question in company.questions]
        print_answers(out, company, asked)
        handed = hand_over(settings, company)
        print_handed_over(out, company, handed)
        problems = check(company, asked) + check_handed_over(company, handed)
        for problem in problems:
            out.print(f"[red]✗[/] {problem}")
        if not problems:
            out.print(f"[green]✓[/] {company.second.name} was shown nothing of what only {company.first.name} may read.")
        out.print(f"\nReady after {time.monotonic() - started:.0f} seconds.\n")
        print_next_steps(out, company, api_url=stack.api_url, dagster_url=stack.dagster_url)
        if not leave:
            watch(stack, "\nCtrl-C ends everything.")
    if problems:
        raise ArchivistError("the demonstration did not show what it should")


def _register() -> None:
    """Through the pipeline's own command: the API knows nothing of connectors."""
    command = [sys.executable, "-m", "pipelines.register", str(SAMPLES / "sources.yaml"), "--by", "user:demo"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own module
    if done.returncode != 0:
        raise ArchivistError(f"the sample sources could not be registered: {done.stderr.strip() or done.stdout.strip()}")


def _wait_for_sources(catalog: "Catalog", stack: Stack, company: DemoCompany) -> None:
    """Dagster's sensor starts a run for each source that is new or changed; this only watches."""
    if all(_is_done(catalog, source) for source in company.sources):
        console().print("All sources are ingested already: nothing to do.\n")
        return
    bars = (
        TextColumn("{task.description:<12}"),
        TextColumn("{task.fields[phase]:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    end = time.monotonic() + INGEST_SECONDS
    with Progress(*bars, console=console()) as progress:
        tasks = {source: progress.add_task(source, total=None, phase="waiting for Dagster") for source in company.sources}
        while not progress.finished:
            stack.check()
            for source, task in tasks.items():
                _show(progress, task, catalog, source)
            if time.monotonic() > end:
                raise Unavailable(f"the sources were not ingested within {INGEST_SECONDS} seconds; see {stack.dagster_url}/runs")
            time.sleep(_POLL_SECONDS)
    for source in company.sources:
        status = catalog.sources.status(source)
        console().print(
            f"{source:<12} {status.documents} documents, {status.passages} passages, {status.quarantined} in quarantine, "
            f"{status.nobody_reads} that nobody may read"
        )
    console().print()


def _show(progress: Progress, task: Any, catalog: "Catalog", source: str) -> None:  # noqa: ANN401 - Rich's task id
    if _is_done(catalog, source):
        total = max(1, catalog.sources.status(source).documents)
        progress.update(task, phase="published", completed=total, total=total)
        return
    runs = catalog.runs.runs(source, limit=1)
    if runs and runs[0].outcome == FAILED:
        raise ArchivistError(f"the run over {source} failed: {runs[0].problem}")
    if runs:
        progress.update(
            task, phase=runs[0].phase, completed=min(runs[0].done, (runs[0].total or runs[0].done + 1) - 1), total=runs[0].total
        )


def _is_done(catalog: "Catalog", source: str) -> bool:
    registered = catalog.sources.get(source)
    return registered.last_success_version == registered.version


def _wait_for_index(catalog: "Catalog") -> None:
    """Until the API's index shows what has been published."""
    end = time.monotonic() + INGEST_SECONDS
    while not any(f.applied_revision >= catalog.revision() for f in catalog.index_state.followers()):
        if time.monotonic() > end:
            raise Unavailable("the index does not catch up with the catalog")
        time.sleep(_POLL_SECONDS)


def _ask(settings: Settings, company: DemoCompany, question: DemoQuestion) -> Asked:
    answers: dict[str, dict[str, Any]] = {}
    passages: dict[str, dict[str, Any]] = {}
    for person in (company.first, company.second):
        with ApiClient(settings, key=person.key) as client:
            passages[person.id] = client.post("/retrieve", {"query": question.text, "top_k": 3})
            answers[person.id] = client.post("/answer", {"query": question.text, "escalate": False})
    return Asked(question, passages, answers)
