"""Which names are documents, and what they are called in keys."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.connectors.globs import same_form

_TEMPORARY_ENDINGS = (".tmp", ".temp", ".swp", ".swo", ".part", ".partial", ".crdownload", ".download")
_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini"})


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the source's: hidden, or a permissions file."""
    return name.startswith(".")


def is_temporary(name: str) -> bool:
    """Whether a file is an editor's, browser's or system's own, not somebody's document."""
    lower = name.lower()
    return (
        name.startswith("~$")
        or name.endswith("~")
        or (name.startswith("#") and name.endswith("#"))
        or lower.endswith(_TEMPORARY_ENDINGS)
        or lower in _SYSTEM_NAMES
    )


def names_in_keys(names: Sequence[str]) -> Mapping[str, str]:
    r"""What the names of one folder are in keys: Unicode's composed form, or as they stand where that would make two names one.

    Bytes that are not UTF-8 appear as `\xNN`.

    Raises:
        ValueError: two names cannot be told apart even so.
    """
    if all(map(str.isascii, names)):
        return {name: name for name in names}
    printable = {name: name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in names}
    composed = Counter(same_form(shown) for shown in printable.values())
    keys = {name: same_form(shown) if composed[same_form(shown)] == 1 else shown for name, shown in printable.items()}
    if len(set(keys.values())) < len(keys):
        raise ValueError("two names differ only in bytes that are not UTF-8")
    return keys
