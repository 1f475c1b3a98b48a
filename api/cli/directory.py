"""`archivist directory`: people and groups, what they are cleared for, and who belongs to which group."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.directory import Entry, EntryKind, EntryQuery, check_regions, kind_of
from retrieval.domain.directory_import import ImportCounts
from retrieval.domain.errors import InvalidInput
from retrieval.domain.keys import group_subjects
from retrieval.domain.sources import Classification
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.ports.directory import Directory

app = typer.Typer(help="People and groups: list, enter, clear, deactivate, import.", no_args_is_help=True)

PAGE = 1000
DEFAULT = "default"

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="user:<id>, group:<id> or app:<id>; of a provider user:<issuer>|<id>.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="A group; repeat it for more.")]


@app.command()
def people(*, as_json: AsJson = False) -> None:
    """List people and applications: whether they are active, and what they may read at most besides the grants."""
    with catalog_of() as catalog:
        listed = [_described(entry) for entry in _entries(catalog.directory, EntryKind.USER, EntryKind.APP)]
    if as_json:
        print_json(listed)
        return
    columns = ("subject", "name", "state", "clearance", "regions", "managed_by")
    rows = [[", ".join(row[c]) if isinstance(row[c], list) else row[c] for c in columns] for row in listed]
    print_table(columns, rows, empty="Nobody is in the directory. Enter somebody with: archivist directory add user:NAME")


@app.command()
def groups(*, as_json: AsJson = False) -> None:
    """List groups and how many direct members they have."""
    with catalog_of() as catalog:
        found = list(_entries(catalog.directory, EntryKind.GROUP))
        members = catalog.directory.members([entry.subject for entry in found])
    listed = [{"subject": e.subject, "name": e.name, "members": len(members[e.subject]), "managed_by": e.managed_by.value} for e in found]
    if as_json:
        print_json(listed)
        return
    rows = [list(row.values()) for row in listed]
    print_table(("subject", "name", "members", "managed_by"), rows, empty="There are no groups in the directory.")


@app.command()
def show(subject: Subject, *, as_json: AsJson = False) -> None:
    """Show one person, group or application: its entry, its groups, those reached through them, and a group's members."""
    with catalog_of() as catalog:
        entry = catalog.directory.find(subject)
        direct = catalog.directory.groups(subject)
        effective = catalog.directory.effective_groups(subject)
        members = catalog.directory.members([subject])[subject] if kind_of(subject) is EntryKind.GROUP else ()
    shown = {
        **({"subject": subject, "state": "not entered"} if entry is None else _described(entry)),
        "groups": sorted(direct),
        "through_groups": sorted(effective - direct),
        "members": [member.subject for member in members],
    }
    if as_json:
        print_json(shown)
        return
    print_table(("", ""), [[name, ", ".join(v) if isinstance(v, list) else v] for name, v in shown.items()], empty="")


@app.command()
def add(subject: Subject, *, name: Annotated[str, typer.Option("--name", help="For people to read.")] = "", group: Groups = None) -> None:
    """Enter a person, a group or an application, or let one that is there join groups.

    Example: archivist directory add user:ann --name "Ann Archer" --group board
    """
    joined = group_subjects(group or [])
    with catalog_of() as catalog:
        there = catalog.directory.find(subject)
        if there is None:
            catalog.directory.add(Entry(subject, name or subject.partition(":")[2]))
        elif name:
            catalog.directory.update(subject, lambda entry: replace(entry, name=name))
        elif not joined:
            raise InvalidInput.of("subject", "is in the directory already")
        catalog.directory.change_groups(subject, add=joined)
    note(f"{subject} is in the directory" + (f" and in {', '.join(sorted(joined))}." if joined else "."))


@app.command()
def remove(subject: Subject, *, group: Groups = None) -> None:
    """Delete somebody, or with --group only take somebody out of groups.

    A person who is deleted stays as an inactive entry, so that nobody else is ever given the subject.
    """
    left = group_subjects(group or [])
    with catalog_of() as catalog:
        if left:
            catalog.directory.change_groups(subject, remove=left)
        else:
            catalog.directory.delete(subject)
    note(f"{subject} is out of {', '.join(sorted(left))}." if left else f"{subject} is deleted.")


@app.command()
def clearance(
    subject: Subject, level: Annotated[str, typer.Argument(metavar="LEVEL", help="public, internal, confidential, restricted or default.")]
) -> None:
    """Set the most sensitive classification that somebody may read where a grant allows it."""
    if level not in {DEFAULT, *Classification}:
        raise InvalidInput.of("clearance", "not a clearance", limit="one of " + ", ".join([*Classification, DEFAULT]))
    cleared = None if level == DEFAULT else Classification(level)
    with catalog_of() as catalog:
        catalog.directory.update(subject, lambda entry: replace(entry, clearance=cleared))
    note(f"{subject} is cleared for {level}.")


@app.command()
def regions(
    subject: Subject,
    names: Annotated[list[str] | None, typer.Argument(metavar="[REGION]...", help="Such as eu us.")] = None,
    *,
    everywhere: Annotated[bool, typer.Option("--all", help="Documents of every region.")] = False,
    nowhere: Annotated[bool, typer.Option("--none", help="Only documents that have no region.")] = False,
) -> None:
    """Set the regions whose documents somebody may read where a grant allows it."""
    if sum([bool(names), everywhere, nowhere]) != 1:
        raise InvalidInput.of("regions", "name regions, or --all, or --none")
    allowed = None if everywhere else check_regions(names or [])
    with catalog_of() as catalog:
        catalog.directory.update(subject, lambda entry: replace(entry, regions=allowed))
    note(f"{subject} reads documents of {'every region' if allowed is None else ', '.join(sorted(allowed)) or 'no region'}.")


@app.command()
def deactivate(subjects: Annotated[list[str], typer.Argument(metavar="SUBJECT...")]) -> None:
    """Lock people or applications out, from their next request on. Who is not in the directory is entered as inactive."""
    with catalog_of() as catalog:
        for subject in subjects:
            if catalog.directory.find(subject) is None:
                catalog.directory.add(Entry(subject, subject.partition(":")[2], active=False))
            elif catalog.directory.is_active(subject):
                catalog.directory.update(subject, lambda entry: replace(entry, active=False))
            note(f"{subject} is inactive.")


@app.command()
def activate(subjects: Annotated[list[str], typer.Argument(metavar="SUBJECT...")]) -> None:
    """Let people or applications in again, those who were deleted, too: they are in no group then."""
    with catalog_of() as catalog:
        for subject in subjects:
            catalog.directory.revive(subject)
            note(f"{subject} is active.")


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.csv...", exists=True, dir_okay=False, readable=True)],
    *,
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="Delete whom earlier imports entered and these do not name.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the directory to what CSV files say, all of it or nothing. What SCIM manages they cannot touch.

    People: id,name,clearance,regions,groups. Groups: id,name,members. Several values are separated by semicolons; a column that is
    not there leaves what is in the directory. The same files again change nothing.
    """
    from retrieval.bootstrap import import_directory  # noqa: PLC0415 - as the catalog, only when it is needed

    with catalog_of() as catalog:
        counts = import_directory(catalog.directory, files, Settings(), delete_missing=delete_missing, dry_run=dry_run)
    if as_json:
        print_json(vars(counts))
        return
    note(_in_words(counts, dry_run=dry_run))


def _entries(directory: "Directory", *kinds: EntryKind) -> Iterator[Entry]:
    skip = 0
    while True:
        page = directory.search(EntryQuery(frozenset(kinds), skip=skip, limit=PAGE)).entries
        yield from page
        skip += PAGE
        if len(page) < PAGE:
            return


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "subject": entry.subject,
        "name": entry.name,
        "state": "deleted" if entry.deleted_at else "active" if entry.active else "inactive",
        "clearance": DEFAULT if entry.clearance is None else entry.clearance.value,
        "regions": "all" if entry.regions is None else sorted(entry.regions),
        "managed_by": entry.managed_by.value,
    }


def _in_words(counts: ImportCounts, *, dry_run: bool) -> str:
    entries = f"{counts.added} added, {counts.changed} changed, {counts.deleted} deleted, {counts.unchanged} as they were"
    missing = f"; {counts.missing} not in the files are left as they are (--delete-missing deletes them)" if counts.missing else ""
    memberships = f"memberships: {counts.memberships_added} added, {counts.memberships_removed} removed"
    return f"{'This would be: ' if dry_run else ''}{entries}{missing}; {memberships}."
