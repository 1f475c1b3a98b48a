"""`archivist forget`: delete what is kept of one person's questions."""

from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import note
from retrieval.domain.audit import OPERATOR
from retrieval.domain.permissions import check_subject


def forget(
    person: Annotated[str, typer.Argument(metavar="SUBJECT", help="Such as user:alice.")],
    *,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a person's questions, answers given, receipts, feedback and escalations. Curated answers stay, no longer tied to them.

    The audit log stays whole and keeps who was shown what; `archivist audit forget-queries` makes its query texts unreadable.
    """
    subject = check_subject(person, field="person")
    if not sure:
        typer.confirm(f"Delete everything that {subject} asked?", abort=True)
    with catalog_of() as catalog:
        escalations = catalog.escalation_sweep.forget_asker(subject)  # first: what is decided there would be learned again
        answers = catalog.learning.forgetting.forget(subject, by=OPERATOR.subject)
        verdicts = catalog.verdicts.forget(subject)
    note(f"Deleted {answers} answers given with their feedback, {verdicts} verdicts and {escalations} escalations.")
