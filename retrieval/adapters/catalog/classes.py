"""Access classes: one id for each distinct policy of a source, and how many current passages it holds."""

from sqlalchemy import Connection, bindparam, insert, select, update

from retrieval.adapters.catalog.tables import access_classes, grants
from retrieval.domain.permissions import AccessPolicy


def class_of(connection: Connection, source: str, policy: AccessPolicy) -> int:
    """The id of the policy's access class within the source, made if it is new."""
    mine = (access_classes.c.source == source, access_classes.c.fingerprint == policy.fingerprint)
    found = connection.scalar(select(access_classes.c.id).where(*mine))
    if found is not None:
        return int(found)
    new = insert(access_classes).values(source=source, fingerprint=policy.fingerprint).returning(access_classes.c.id)
    made = int(connection.execute(new).scalar_one())
    rows = [{"access_class": made, "effect": "allow", "subject": s} for s in sorted(policy.allow)]
    rows += [{"access_class": made, "effect": "deny", "subject": s} for s in sorted(policy.deny)]
    if rows:
        connection.execute(insert(grants), rows)
    return made


def count_passages(connection: Connection, deltas: dict[int, int]) -> None:
    """Add to the number of current passages of each class."""
    rows = [{"class": access_class, "delta": delta} for access_class, delta in sorted(deltas.items()) if delta]
    if rows:
        connection.execute(_COUNT, rows)


_COUNT = (
    update(access_classes).where(access_classes.c.id == bindparam("class")).values(passages=access_classes.c.passages + bindparam("delta"))
)
