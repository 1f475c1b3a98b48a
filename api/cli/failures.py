"""How a command fails: one clear line on standard error and an exit code that a script can tell apart."""

from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from api.cli.output import note
from retrieval.domain.errors import ArchivistError, InvalidInput, NotAuthenticated, NotAuthorised, NotReadable, Unavailable

FAILED = 1
INVALID = 2
UNAVAILABLE = 3
REFUSED = 4

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong input, 3 not available now (try again), 4 refused or not found."


class FailingClearly(TyperGroup):
    """A command group whose commands may raise the errors of the domain."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own signature
        try:
            return super().invoke(ctx)
        except ArchivistError as error:
            note(f"archivist: {error}")
            raise typer.Exit(exit_code(error)) from error
        except ValidationError as error:
            for problem in error.errors(include_input=False, include_url=False):
                name = "_".join(str(part) for part in problem["loc"]).upper()
                note(f"archivist: setting ARCHIVIST_{name}: {problem['msg']}")
            raise typer.Exit(INVALID) from error


def exit_code(error: ArchivistError) -> int:
    match error:
        case InvalidInput():
            return INVALID
        case Unavailable():
            return UNAVAILABLE
        case NotAuthenticated() | NotAuthorised() | NotReadable():
            return REFUSED
    return FAILED
