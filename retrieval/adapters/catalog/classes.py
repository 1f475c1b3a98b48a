"""Access classes: one id for each distinct policy of a source, and how many current passages it holds."""

import json
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, any_, bindparam, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql

from retrieval.adapters.catalog.tables import Counter, access_classes, documents, grants
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


def among(connection: Connection, classes: Sequence[int]) -> ColumnElement[bool]:
    """The document's class is one of these: one parameter however many they are, because databases limit those."""
    if connection.dialect.name == "sqlite":
        return documents.c.access_class.in_(select(func.json_each(json.dumps(classes)).table_valued("value").c.value))
    return documents.c.access_class == any_(literal(list(classes), postgresql.ARRAY(Counter)))


def count_passages(connection: Connection, deltas: dict[int, int]) -> None:
    """Add to the number of current passages of each class."""
    rows = [{"class": access_class, "delta": delta} for access_class, delta in sorted(deltas.items()) if delta]
    if rows:
        connection.execute(_COUNT, rows)


_COUNT = (
    update(access_classes).where(access_classes.c.id == bindparam("class")).values(passages=access_classes.c.passages + bindparam("delta"))
)
