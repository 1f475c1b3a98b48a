"""What sources promised and how it stands: inspected texts, measures of runs, verdicts, and who is told."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from retrieval.adapters.catalog.tables.base import Key, metadata

inspected_texts = Table(
    "inspected_texts",
    metadata,
    Column("text", Key, primary_key=True),
    Column("inspection", Key, primary_key=True),
    Column("language", Key, nullable=False),
    Column("findings", Text, nullable=False),
    comment="Counts by kind of what stands in a text, by its hash; of a masked text, what was masked. No word of the text.",
)

source_measures = Table(
    "source_measures",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("run", Key, primary_key=True),
    Column("at", Key, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("mean_characters", Float, nullable=False),
    Column("model", Key),
    Column("centroid", LargeBinary),
    comment="What successful runs left: the next one's drift is measured from it. `centroid` is float32, little endian.",
)

contract_verdicts = Table(
    "contract_verdicts",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("rule", Key, primary_key=True),
    Column("run", Key),
    Column("passed", Boolean, nullable=False),
    Column("blocks", Boolean, nullable=False),
    Column("found", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("at", Key, nullable=False),
    Column("since", Key, nullable=False),
    comment="The last verdict on each rule. `since`: when it began to pass, or to fail.",
)

contract_notices = Table(
    "contract_notices",
    metadata,
    Column("message_id", Key, primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("told", Key, CheckConstraint("told IN ('broken', 'holds')", name="told"), nullable=False),
    Column("rules", Text, nullable=False),
    Column("recipient", Key, nullable=False),
    Column("channel", Key, CheckConstraint("channel IN ('webhook', 'email')", name="channel"), nullable=False),
    Column("state", Key, CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Key),
    Column("created_at", Key, nullable=False),
    Column("sent_at", Key),
    Column("problem", Text),
    Index(None, "state", "next_attempt_at"),
    comment="The outbox of contracts: one row for each change and whom it is told to.",
)
