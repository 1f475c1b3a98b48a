"""`archivist budget`: how much applications and teams may spend on generated answers."""

from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR
from retrieval.domain.errors import InvalidInput
from retrieval.domain.usage import MICRO, MOST, Budget, BudgetState, Period, check_holder
from retrieval.settings import Settings

app = typer.Typer(help="Budgets for generated answers: set, show, list.", no_args_is_help=True)

Holder = Annotated[str, typer.Argument(metavar="HOLDER", help="app:<id>, team:<name>, or all.")]


@app.command("set")
def set_budget(
    holder: Holder,
    *,
    period: Annotated[Period, typer.Option("--period", help="Of UTC.")] = Period.DAY,
    tokens: Annotated[int | None, typer.Option("--tokens", min=0, help="Most tokens, in and out.")] = None,
    dollars: Annotated[
        float | None, typer.Option("--dollars", min=0, max=MOST // MICRO, help="Most US dollars, by the prices in the settings.")
    ] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Lift the limit.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who sets it, e.g. user:dana, for the record.")] = OPERATOR.subject,
) -> None:
    """Set what a holder may spend in a day or a month, from now on. What it has spent in the current one counts.

    Example: archivist budget set app:intranet --tokens 2000000 --dollars 20
    """
    if unlimited != (tokens is None and dollars is None):
        raise InvalidInput.of("limit", "give --tokens, --dollars or both, or else --unlimited")
    micro_dollars = None if dollars is None else round(dollars * MICRO)
    with catalog_of() as catalog:
        budget = catalog.budgets.set(Budget(holder, period, tokens, micro_dollars), by=by)
    note(f"{budget.holder} may spend {_limits(budget)} in a {budget.period.value}.")
    if dollars is not None and not Settings().generator_prices:
        note("No generator has a price yet (ARCHIVIST_GENERATOR_PRICES): until one has, none is asked under this budget.")


@app.command()
def show(holder: Holder, *, as_json: AsJson = False) -> None:
    """Show all budgets that a holder has had, newest first, and who set them."""
    with catalog_of() as catalog:
        history = catalog.budgets.history(check_holder(holder))
    if as_json:
        print_json([_described(budget) for budget in history])
        return
    columns = ("period", "version", "tokens", "dollars", "set_at", "set_by")
    print_table(columns, [[_described(budget)[column] for column in columns] for budget in history], empty=f"{holder} has no budget.")


@app.command("list")
def list_budgets(*, as_json: AsJson = False) -> None:
    """List the budgets in force and what of them is spent, what answers under way may cost included."""
    with catalog_of() as catalog:
        listed = [_stated(state) for state in catalog.budgets.states()]
    if as_json:
        print_json(listed)
        return
    columns = ("holder", "period", "tokens", "spent_tokens", "dollars", "spent_dollars", "starts_anew")
    print_table(columns, [[state[column] for column in columns] for state in listed], empty="There are no budgets: nothing is limited.")


def _limits(budget: Budget) -> str:
    limits = [] if budget.tokens is None else [f"{budget.tokens} tokens"]
    limits += [] if budget.micro_dollars is None else [f"{budget.micro_dollars / MICRO:.2f} US dollars"]
    return " and ".join(limits) or "any amount"


def _described(budget: Budget) -> dict[str, Any]:
    return {
        "holder": budget.holder,
        "period": budget.period.value,
        "version": budget.version,
        "tokens": budget.tokens,
        "dollars": None if budget.micro_dollars is None else budget.micro_dollars / MICRO,
        "set_at": budget.set_at,
        "set_by": budget.set_by,
    }


def _stated(state: BudgetState) -> dict[str, Any]:
    spent = {"spent_tokens": state.tokens, "spent_dollars": state.micro_dollars / MICRO}
    return {**_described(state.budget), **spent, "starts_anew": state.starts_anew.isoformat()}
