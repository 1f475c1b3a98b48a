"""Curated answers through the gate: nobody is shown one who may not read the current versions of all that it cites.

A cited document outside the reader's access classes hides the answer already in the statement that looks for it, and every passage then
passes the gate like a hit: in the one snapshot that is read last.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, not_, or_, select

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.classes import among
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import curated_rows
from retrieval.adapters.catalog.tables import curated_answers, curated_citations, document_versions, documents, passages, texts
from retrieval.domain.clock import stamp
from retrieval.domain.curated import CuratedAnswer, CuratedState, ReadableCurated
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.ports.reading import Candidate, GateReader
from retrieval.steps.restore import Passages, restored

_TEXTS: Select[tuple[str, str]] = (
    select(passages.c.id, func.substr(texts.c.text, passages.c.span_start + 1, passages.c.span_end - passages.c.span_start).label("text"))
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(passages.c.id.in_(bindparam("ids", expanding=True)))
)


class CatalogCuratedReader:
    """`CuratedReader` over the catalog and its gate."""

    def __init__(self, database: Database, authority: Authority, gate: GateReader) -> None:
        self._database = database
        self._authority = authority
        self._gate = gate

    def open(self, principal: Principal, curated: str) -> ReadableCurated:
        with self._database.read() as connection:
            answers = curated_rows.load(connection, [curated])
            found = _passage_texts(connection, answers)
        shown = self._gated(principal, answers, found)
        if not shown:
            raise NotReadable("there is no such curated answer, or you may not read it")
        return shown[0]

    def readable(
        self, principal: Principal, *, state: CuratedState | None, after: str, count: int, sources: Sequence[str] | None = None
    ) -> tuple[ReadableCurated, ...]:
        wanted = self._wanted(state, sources)
        shown: list[ReadableCurated] = []
        while len(shown) < count:
            with self._database.read() as connection:
                ids = self._ids(connection, principal, wanted.where(curated_answers.c.id > after), count - len(shown))
                answers = curated_rows.load(connection, ids)
                found = _passage_texts(connection, answers)
            if not ids:
                break
            shown += self._gated(principal, answers, found)
            after = ids[-1]
        return tuple(shown)

    def _wanted(self, state: CuratedState | None, sources: Sequence[str] | None) -> Select[tuple[str]]:
        wanted = select(curated_answers.c.id)
        if state is not None:
            wanted = wanted.where(self._in_state(state))
        if sources is not None:
            of = select(curated_citations.c.curated).where(curated_citations.c.source.in_(list(sources)))
            wanted = wanted.where(curated_answers.c.id.in_(of))
        return wanted

    def _ids(self, connection: Connection, principal: Principal, wanted: Select[tuple[str]], count: int) -> Sequence[str]:
        scope = self._authority.resolved(connection, principal).scope
        if scope.is_empty:
            return []
        hidden = (
            select(curated_citations.c.curated)
            .join(documents, documents.c.id == curated_citations.c.document)
            .where(curated_citations.c.curated == curated_answers.c.id)
            .where(or_(not_(among(connection, scope.classes)), documents.c.current_version.is_(None)))
        )
        return connection.scalars(wanted.where(~hidden.exists()).order_by(curated_answers.c.id).limit(count)).all()

    def _in_state(self, state: CuratedState) -> ColumnElement[bool]:
        now = stamp(self._database.clock.now())
        active = curated_answers.c.state == CuratedState.ACTIVE.value
        if state is CuratedState.EXPIRED:
            return and_(active, curated_answers.c.expires_at <= now)
        if state is CuratedState.ACTIVE:
            return and_(active, curated_answers.c.expires_at > now)
        return curated_answers.c.state == state.value

    def _gated(self, principal: Principal, answers: Sequence[CuratedAnswer], found: Mapping[str, str]) -> list[ReadableCurated]:
        cited = [cited for answer in answers for cited in answer.cites]
        gated = self._gate.gate(principal, [Candidate(id_, text) for id_, text in found.items()])
        readable = {passage.id: passage for passage in gated.readable}
        with_changes = sorted({each.document for each in cited if each.passage not in readable})
        still_readable = self._gate.why(principal, with_changes).keys() if with_changes else frozenset()
        return [
            _readable(answer, readable, gated.revision)
            for answer in answers
            if all(each.passage in readable or each.document in still_readable for each in answer.cites)
        ]


def _passage_texts(connection: Connection, answers: Sequence[CuratedAnswer]) -> dict[str, str]:
    ids = sorted({cited.passage for answer in answers for cited in answer.cites})
    found: dict[str, str] = {}
    for at in range(0, len(ids), curated_rows.ASKED_AT_ONCE):
        rows: Sequence[Row[tuple[str, str]]] = connection.execute(_TEXTS, {"ids": ids[at : at + curated_rows.ASKED_AT_ONCE]}).all()
        found.update((row.id, row.text) for row in rows)
    return found


def _readable(answer: CuratedAnswer, passages: Passages, revision: int) -> ReadableCurated:
    """With its sentences where every quote is what the reviewer saw, else without any."""
    sentences = [sentence for held in answer.sentences if (sentence := restored(held, passages)) is not None]
    if len(sentences) < len(answer.sentences):
        return ReadableCurated(answer, (), (), revision)
    stands_in = dict.fromkeys(cited.passage for cited in answer.cites)
    return ReadableCurated(answer, tuple(sentences), tuple(passages[id_] for id_ in stands_in), revision)
