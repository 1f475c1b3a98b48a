"""Which versions say certain words, anywhere in their text, title, metadata, name or place."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from retrieval.adapters.catalog.tables import document_versions, documents, parsed, texts

AT_ONCE = 200
"""Rows of whole texts in memory."""


def versions_saying(connection: Connection, words: Sequence[str], *, source: str = "") -> set[str]:
    """Ids of all versions, staged ones included, that say any of the words, without regard to case. Every text is read."""
    wanted = [word.strip().casefold() for word in words]
    found: set[str] = set()
    query = _EVERYTHING if not source else _EVERYTHING.where(document_versions.c.source == source)
    for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
        said = "\n".join((row.text, row.title, row.metadata, row.attachments, row.key, row.uri)).casefold()
        if any(word in said for word in wanted):
            found.add(row.id)
    return found


def documents_named(connection: Connection, words: Sequence[str], *, source: str = "") -> set[str]:
    """Ids of all documents whose name or place says any of the words, whether or not anything was ever taken in of them."""
    query = select(documents.c.id, documents.c.key, documents.c.uri)
    rows = connection.execute(query if not source else query.where(documents.c.source == source))
    return {row.id for row in rows if saying(words, row.key, row.uri)}


def saying(words: Sequence[str], *texts_: str) -> bool:
    """Whether any of the texts says any of the words, without regard to case."""
    said = "\n".join(texts_).casefold()
    return any(word.strip().casefold() in said for word in words)


_EVERYTHING = (
    select(
        document_versions.c.id,
        texts.c.text,
        document_versions.c.title,
        parsed.c.metadata,
        parsed.c.attachments,
        documents.c.key,
        documents.c.uri,
    )
    .join(texts, texts.c.hash == document_versions.c.text)
    .join(parsed, parsed.c.key == document_versions.c.parsed)
    .join(documents, documents.c.id == document_versions.c.document)
)
