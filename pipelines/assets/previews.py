"""Small tables for the Dagster UI. Names, counts and reasons; never a document's text."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from retrieval.domain.documents import SourceFile
from retrieval.domain.ingestion import QuarantinedDocument

MAX_ROWS = 20
MAX_CELL_CHARACTERS = 300


def table(columns: Sequence[str], rows: Sequence[Sequence[str | int]], *, most: int = MAX_ROWS) -> dg.TableMetadataValue:
    """The first `most` rows."""
    records = [dg.TableRecord(dict(zip(columns, map(_cell, row), strict=True))) for row in rows[:most]]
    types = ["int" if rows and isinstance(cell, int) else "string" for cell in (rows[0] if rows else columns)]
    schema = dg.TableSchema([dg.TableColumn(name, type_) for name, type_ in zip(columns, types, strict=True)])
    return dg.MetadataValue.table(records, schema=schema)


def quarantine_table(documents: Sequence[QuarantinedDocument]) -> dg.TableMetadataValue:
    rows = [(d.key, d.code, d.reason, d.attempts, d.next_attempt_at or "when it changes") for d in documents]
    return table(("document", "code", "reason", "attempts", "next attempt"), rows)


def counts_table(column: str, counts: Mapping[str, int], *, of: str = "documents") -> dg.TableMetadataValue:
    """Most frequent first. `of`: what is counted."""
    rows = sorted(((name, count) for name, count in counts.items() if count), key=lambda row: (-row[1], row[0]))
    return table((column, of), rows)


class Unreadable:
    """Watches a listing go by and remembers the first files that nobody may read, with the reason."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, str]] = []

    def watch(self, files: Iterator[SourceFile]) -> Iterator[SourceFile]:
        for file in files:
            if not file.policy.names_a_reader and len(self._seen) < MAX_ROWS:
                self._seen.append((file.key, file.policy_problem or "the permission found allows nobody"))
            yield file

    @property
    def table(self) -> dg.TableMetadataValue:
        return table(("document", "why nobody reads it"), self._seen)


def _cell(value: str | int) -> str | int:
    return value if isinstance(value, int) else value[:MAX_CELL_CHARACTERS]
