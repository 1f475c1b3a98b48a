"""Who belongs to which group."""

from collections.abc import Iterable

from sqlalchemy import delete, insert, select

from retrieval.adapters.catalog.engine import Database, next_revision
from retrieval.adapters.catalog.tables import memberships
from retrieval.domain.permissions import check_subject

MANAGED_BY_CLI = "cli"


class CatalogDirectory:
    """`Directory` over the catalog. Whatever changes a membership takes the next revision: it changes what somebody may read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_groups(self, subject: str, groups: Iterable[str]) -> None:
        check_subject(subject)
        wanted = {check_subject(group, field="group") for group in groups}
        with self._database.write() as connection:
            held = set(connection.scalars(select(memberships.c.group).where(memberships.c.member == subject)))
            if held == wanted:
                return
            next_revision(connection)
            connection.execute(delete(memberships).where(memberships.c.member == subject, memberships.c.group.in_(held - wanted)))
            rows = [{"member": subject, "group": group, "managed_by": MANAGED_BY_CLI} for group in sorted(wanted - held)]
            if rows:
                connection.execute(insert(memberships), rows)

    def groups(self, subject: str) -> frozenset[str]:
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(memberships.c.group).where(memberships.c.member == subject)))
