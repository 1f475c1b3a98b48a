"""Access classes belong to a source; directory, roles, audit and idempotency."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SENSITIVITY = {"public": 0, "internal": 1, "confidential": 2, "restricted": 3}

COMMENTS = {
    "sources": "`sensitivity` is the classification's rank, 0 for public. From `permissions_fresh_until` on its permissions are stale.",
    "access_classes": "One row for each distinct access policy of a source; `passages` counts the current ones it holds.",
    "memberships": "`member` is a user, an app or a group; groups nest. `managed_by` is who entered it: `cli`, `scim` or `csv`.",
}


def upgrade() -> None:
    _sources()
    _access_classes()
    _principals()
    _records()
    if op.get_bind().dialect.supports_comments:
        for table, comment in COMMENTS.items():
            op.create_table_comment(table, comment)


def _sources() -> None:
    with op.batch_alter_table("sources") as table:
        table.add_column(sa.Column("sensitivity", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("region", KEY, nullable=False, server_default=""))
        table.add_column(sa.Column("permissions_read_at", KEY, nullable=True))
        table.add_column(sa.Column("permissions_fresh_until", KEY, nullable=True))
        table.add_column(sa.Column("withhold_stale", sa.Boolean(), nullable=False, server_default=sa.true()))
    connection = op.get_bind()
    for source, spec in connection.execute(sa.text("SELECT id, spec FROM sources")).all():
        rank = SENSITIVITY.get(json.loads(spec).get("classification", "internal"), SENSITIVITY["restricted"])
        connection.execute(sa.text("UPDATE sources SET sensitivity = :rank WHERE id = :source"), {"rank": rank, "source": source})
    connection.execute(
        sa.text("UPDATE sources SET permissions_read_at = (SELECT max(listed_at) FROM source_runs WHERE source_runs.source = sources.id)")
    )
    with op.batch_alter_table("sources") as table:
        table.alter_column("sensitivity", server_default=None)
        table.alter_column("region", server_default=None)
        table.alter_column("withhold_stale", server_default=None)


def _access_classes() -> None:
    """A class that documents of several sources shared becomes one for each; indexes are told, because they hold the numbers."""
    with op.batch_alter_table("access_classes") as table:
        table.add_column(sa.Column("source", KEY, nullable=True))
        table.drop_constraint("uq_access_classes_fingerprint", type_="unique")
    connection = op.get_bind()
    moved: list[str] = []
    of_class: dict[int, str] = {}
    shared = connection.execute(sa.text("SELECT DISTINCT access_class, source FROM documents ORDER BY access_class, source")).all()
    for access_class, source in shared:
        if of_class.setdefault(access_class, source) == source:
            connection.execute(sa.text("UPDATE access_classes SET source = :source WHERE id = :id"), {"source": source, "id": access_class})
        else:
            moved += _split(connection, access_class, source)
    connection.execute(sa.text("DELETE FROM grants WHERE access_class IN (SELECT id FROM access_classes WHERE source IS NULL)"))
    connection.execute(sa.text("DELETE FROM access_classes WHERE source IS NULL"))
    connection.execute(
        sa.text(
            "UPDATE access_classes SET passages = (SELECT coalesce(sum(v.passages), 0) FROM documents d "
            "JOIN document_versions v ON v.id = d.current_version WHERE d.access_class = access_classes.id)"
        )
    )
    if moved:
        connection.execute(sa.text("UPDATE revision SET value = value + 1"))
        for document in moved:
            connection.execute(
                sa.text("UPDATE changes SET revision = (SELECT value FROM revision) WHERE document = :document"), {"document": document}
            )
    with op.batch_alter_table("access_classes") as table:
        table.alter_column("source", existing_type=KEY, nullable=False)
        table.create_foreign_key("fk_access_classes_source", "sources", ["source"], ["id"])
        table.create_unique_constraint("uq_access_classes_source_fingerprint", ["source", "fingerprint"])


def _split(connection: sa.Connection, access_class: int, source: str) -> Sequence[str]:
    """A class of its own for one source's documents. Returns them."""
    values = {"old": access_class, "source": source}
    made = connection.execute(
        sa.text(
            "INSERT INTO access_classes (source, fingerprint, passages) "
            "SELECT :source, fingerprint, 0 FROM access_classes WHERE id = :old RETURNING id"
        ),
        values,
    ).scalar_one()
    connection.execute(
        sa.text("INSERT INTO grants (access_class, effect, subject) SELECT :new, effect, subject FROM grants WHERE access_class = :old"),
        values | {"new": made},
    )
    mine = sa.text("UPDATE documents SET access_class = :new WHERE access_class = :old AND source = :source RETURNING id")
    return connection.execute(mine, values | {"new": made}).scalars().all()


def _principals() -> None:
    with op.batch_alter_table("memberships") as table:
        table.add_column(sa.Column("managed_by", KEY, nullable=False, server_default="cli"))
    with op.batch_alter_table("memberships") as table:
        table.alter_column("managed_by", server_default=None)
        table.create_index("ix_memberships_group", ["group"])
    with op.batch_alter_table("api_keys") as table:
        table.add_column(sa.Column("roles", sa.Text(), nullable=False, server_default='["user"]'))
        table.add_column(sa.Column("sources", sa.Text(), nullable=True))
    op.execute("UPDATE api_keys SET roles = '[\"app\"]' WHERE principal_kind = 'app'")
    with op.batch_alter_table("api_keys") as table:
        table.alter_column("roles", server_default=None)
    op.create_table(
        "directory",
        sa.Column("subject", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("clearance", sa.Integer(), nullable=True),
        sa.Column("regions", sa.Text(), nullable=True),
        sa.Column("managed_by", KEY, nullable=False),
        sa.Column("scim_id", KEY, nullable=True),
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", KEY, nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("updated_at", KEY, nullable=False),
        sa.Column("deleted_at", KEY, nullable=True),
        sa.CheckConstraint("kind IN ('user', 'group', 'app')", name=op.f("ck_directory_kind")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_directory")),
        sa.UniqueConstraint("scim_id", name=op.f("uq_directory_scim_id")),
        comment="People, groups and applications by subject. `clearance` is a rank and `regions` a JSON list; NULL: the service's default.",
    )
    op.create_index(op.f("ix_directory_kind_folded_name"), "directory", ["kind", "folded_name"])
    op.create_index(op.f("ix_directory_external_id"), "directory", ["external_id"])
    known = sa.text("kind = 'user' AND scim_id IS NOT NULL AND deleted_at IS NULL")
    op.create_index("uq_directory_user_name", "directory", ["folded_name"], unique=True, sqlite_where=known, postgresql_where=known)


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", COUNTER, autoincrement=False, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("act_for", KEY, nullable=True),
        sa.Column("action", KEY, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        comment="Append-only and hash-chained: `hash` is over `prev_hash` and `record`, canonical JSON that repeats the other columns.",
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.create_index(op.f("ix_audit_actor_seq"), "audit", ["actor", "seq"])
    op.create_index(op.f("ix_audit_act_for_seq"), "audit", ["act_for", "seq"])
    op.create_index(op.f("ix_audit_action_seq"), "audit", ["action", "seq"])
    op.create_table(
        "audit_documents",
        sa.Column("document", KEY, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit.seq"], name=op.f("fk_audit_documents_seq")),
        sa.PrimaryKeyConstraint("document", "seq", name=op.f("pk_audit_documents")),
        comment="Which records name which document: who saw what. Append-only.",
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        comment="The end of the chain. Whoever appends locks this row, last in its transaction.",
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": bytes(32)}])
    _append_only("audit", same="seq = NEW.seq")
    _append_only("audit_documents", same="document = NEW.document AND seq = NEW.seq")
    op.create_table(
        "idempotency",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("created_at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency")),
        comment="Answers to writes by their Idempotency-Key, which is scoped to principal and route; the answer is encrypted.",
    )
    op.create_index(op.f("ix_idempotency_created_at"), "idempotency", ["created_at"])


def _append_only(table: str, *, same: str) -> None:
    """Let the database itself refuse to change, delete or replace a row."""
    refused = f"'{table} is append-only'"
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, {refused}); END")
        op.execute(  # INSERT OR REPLACE deletes without asking the trigger above
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608 - ours
            f"BEGIN SELECT RAISE(ABORT, {refused}); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION {refused} USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = f"{table}_no_{event.split()[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {table}_append_only()")
