"""Subjects as other systems write them: a list with commas, a JSON array, an array of the database."""

import json
import re
from collections.abc import Sequence

from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import check_subject

MAX_SUBJECTS = 1_000
_BETWEEN = re.compile(r"[,;\n]")


class SubjectsUnreadable(ValueError):
    """It cannot be told who is meant, so nobody is. Says nothing of what was written."""


def read_subjects(written: object, *, named_as: str) -> frozenset[str]:
    """Who is named; nobody for nothing.

    Args:
        written: text with commas, semicolons or lines between the names, a JSON array as text, or a list; None for nothing.
        named_as: `user` or `group`: the names are ids of such; `subject`: they are subjects such as `group:finance`.

    Raises:
        SubjectsUnreadable: any one name is none. The others are not believed then: in a list of the denied, one that is lost is a reader.
    """
    names = _names(written)
    if len(names) > MAX_SUBJECTS:
        raise SubjectsUnreadable(f"names more than {MAX_SUBJECTS}")
    try:
        return frozenset(check_subject(name if named_as == "subject" else f"{named_as}:{name}") for name in names)
    except InvalidInput as error:
        raise SubjectsUnreadable(f"holds a name that is no {named_as}") from error


def _names(written: object) -> Sequence[str]:
    if written is None:
        return ()
    if isinstance(written, str):
        if not written.lstrip().startswith(("[", "{")):
            return [name.strip() for name in _BETWEEN.split(written) if name.strip()]
        try:
            written = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise SubjectsUnreadable("starts like a JSON list and is none") from error
    if not isinstance(written, list | tuple) or not all(isinstance(name, str) for name in written):
        raise SubjectsUnreadable("is not a list of names")
    return [name.strip() for name in written]
