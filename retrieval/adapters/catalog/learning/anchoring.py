"""Curated answers follow the documents that they cite: to where a quote stands in the current version, or into staleness."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, Row, bindparam, select

from retrieval.adapters.catalog.audit.secrecy import keys_of, make_keys
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import curated_rows, gap_rows
from retrieval.adapters.catalog.learning.curated import record_change
from retrieval.adapters.catalog.tables import curated_answers, curated_citations, document_versions, documents, passages, texts
from retrieval.domain.audit import AuditAction
from retrieval.domain.curated import CuratedAnswer, CuratedState
from retrieval.domain.documents import Span
from retrieval.domain.escalations import CitedSpan, HeldSentence
from retrieval.domain.gaps import Gap, GapKind
from retrieval.domain.ids import text_hash

_FOLLOWING = (CuratedState.ACTIVE.value, CuratedState.SUSPENDED.value)
_MOVED = (
    select(curated_citations.c.curated)
    .join(curated_answers, curated_answers.c.id == curated_citations.c.curated)
    .join(documents, documents.c.id == curated_citations.c.document)
    .where(curated_answers.c.state.in_(_FOLLOWING), documents.c.current_version != curated_citations.c.version)
    .distinct()
    .order_by(curated_citations.c.curated)
)
"""A withdrawn document has no current version: an answer that cites it is nobody's to read, and waits for the document's return."""
_CURRENT = select(documents.c.current_version).where(documents.c.id == bindparam("document"))
_TEXT = (
    select(texts.c.text)
    .join(document_versions, document_versions.c.text == texts.c.hash)
    .where(document_versions.c.id == bindparam("version"))
)
_PASSAGE = (
    select(passages.c.id)
    .where(passages.c.version == bindparam("version"))
    .where(passages.c.span_start <= bindparam("start"), passages.c.span_end >= bindparam("end"))
    .order_by(passages.c.ordinal)
    .limit(1)
)


class CatalogAnchoring:
    """Looks at what has changed and changes what stands on it, each answer in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def anchor(self, *, most: int) -> list[CuratedAnswer]:
        with self._database.read() as connection:
            moved = connection.scalars(_MOVED.limit(most)).all()
        if moved:
            make_keys(self._database)
        return [stale for curated in moved if (stale := self._follow(curated)) is not None]

    def _follow(self, curated: str) -> CuratedAnswer | None:
        """The answer when it became stale."""
        with self._database.write() as connection:
            connection.execute(select(curated_answers.c.id).where(curated_answers.c.id == curated).with_for_update())
            answer = curated_rows.load(connection, [curated])[0]
            if answer.state.value not in _FOLLOWING:
                return None
            moved = {cited: _moved(connection, cited) for cited in answer.cites}
            lost = sorted({cited.document for cited, now in moved.items() if now is None})
            if not lost and all(cited == now for cited, now in moved.items()):
                return None
            following = replace(_with(answer, moved), number=answer.number + 1)
            if lost:
                following = replace(answer, state=CuratedState.STALE, number=answer.number + 1)
            curated_rows.replace(connection, following)
            if not lost:
                curated_rows.replace_citations(connection, following)
            else:
                gap_rows.add(connection, self._gaps(answer, lost), keys_of(connection))
            what, now = ("became stale" if lost else "moved"), self._database.now()
            record_change(connection, AuditAction.CURATED_CHANGED, following, by=None, what=what, at=now)
            return following if lost else None

    def _gaps(self, answer: CuratedAnswer, lost: Sequence[str]) -> list[Gap]:
        sources = {cited.document: cited.source for cited in answer.cites}
        now = self._database.clock.now()
        return [Gap(sources[document], GapKind.STALE, f"{answer.id}:{document}", now, document=document) for document in lost]


def _moved(connection: Connection, cited: CitedSpan) -> CitedSpan | None:
    """Where the quote stands now; None when it stands there no more, or more than once."""
    current = connection.scalar(_CURRENT, {"document": cited.document})
    if current in (None, cited.version):
        return cited
    before, now = (connection.scalar(_TEXT, {"version": version}) or "" for version in (cited.version, current))
    quote = cited.span.of(before)
    start = now.find(quote) if text_hash(quote) == cited.quote_hash else -1
    if start < 0 or now.find(quote, start + 1) >= 0:
        return None
    span = Span(start, start + len(quote))
    passage: Row[tuple[str]] | None = connection.execute(_PASSAGE, {"version": current, "start": span.start, "end": span.end}).one_or_none()
    return None if passage is None else replace(cited, passage=passage.id, version=current, span=span)


def _with(answer: CuratedAnswer, moved: dict[CitedSpan, CitedSpan | None]) -> CuratedAnswer:
    def follow(sentence: HeldSentence) -> HeldSentence:
        return replace(sentence, cites=tuple(moved[cited] or cited for cited in sentence.cites))

    return replace(answer, sentences=tuple(follow(sentence) for sentence in answer.sentences))
