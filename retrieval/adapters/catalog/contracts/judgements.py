"""What became of each rule, kept with who is told of a change: one transaction, one audit entry."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.contracts.notices import tell
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import contract_verdicts
from retrieval.domain.audit import PIPELINE, AuditAction, AuditEntry
from retrieval.domain.contract_rules import Verdict
from retrieval.domain.contracts import ContractTerms, Rule
from retrieval.domain.ingestion import SourceRun

_JUDGED_IN_RUNS = frozenset(Rule) - {Rule.FRESHNESS}


class CatalogContractVerdicts:
    """`ContractVerdicts` over the catalog.

    Args:
        by_mail: whether people can be told by mail.
    """

    def __init__(self, database: Database, *, by_mail: bool) -> None:
        self._database = database
        self._by_mail = by_mail

    def record(self, source: str, terms: ContractTerms, verdicts: Sequence[Verdict], *, run: str | None, owner: str) -> None:
        now = self._database.now()
        with self._database.write() as connection:
            broken_before = _broken(connection, source)
            known = {row.rule: row for row in connection.execute(_OF_SOURCE, {"source": source})}
            superfluous = [name for name in known if Rule(name) not in terms.promised]
            judged = [verdict for verdict in verdicts if verdict.rule in terms.promised]
            replaced = [*superfluous, *(verdict.rule.value for verdict in judged)]
            mine = (contract_verdicts.c.source == source, contract_verdicts.c.rule.in_(replaced))
            connection.execute(delete(contract_verdicts).where(*mine))
            for verdict in judged:
                before = known.get(verdict.rule.value)
                since = before.since if before is not None and before.passed == verdict.passed else now
                connection.execute(insert(contract_verdicts).values(_row(source, verdict, run, at=now, since=since)))
            broken = _broken(connection, source)
            if bool(broken) != bool(broken_before):
                tell(connection, source, broken, terms.notify or (owner,), by_mail=self._by_mail, at=now)
                action = AuditAction.CONTRACT_BROKEN if broken else AuditAction.CONTRACT_HELD
                append(
                    connection, AuditEntry(action, PIPELINE.subject, details={"source": source, "rules": list(broken), "run": run}), at=now
                )

    def kept_back(self, run: SourceRun, terms: ContractTerms) -> tuple[str, ...]:
        with self._database.read() as connection:
            rows = {row.rule: row for row in connection.execute(_OF_SOURCE, {"source": run.source}) if row.run == run.id}
        wanted = sorted(rule for rule in terms.promised & _JUDGED_IN_RUNS if rule not in terms.warn_only)
        unjudged = [f"{rule}: not judged in this run" for rule in wanted if rule.value not in rows]
        return (*(f"{row.rule}: {row.found}" for row in rows.values() if row.blocks and not row.passed), *unjudged)


def _broken(connection: Connection, source: str) -> tuple[str, ...]:
    """Rules of the source that are broken and more than a warning."""
    return tuple(connection.scalars(_BROKEN, {"source": source, "freshness": Rule.FRESHNESS.value}))


def _row(source: str, verdict: Verdict, run: str | None, *, at: str, since: str) -> dict[str, object]:
    return {
        "source": source,
        "rule": verdict.rule.value,
        "run": run,
        "passed": verdict.passed,
        "blocks": verdict.blocks,
        "found": verdict.found,
        "counts": json.dumps(dict(verdict.counts), sort_keys=True),
        "at": at,
        "since": since,
    }


_OF_SOURCE = select(contract_verdicts).where(contract_verdicts.c.source == bindparam("source")).order_by(contract_verdicts.c.rule)
_BROKEN = (
    select(contract_verdicts.c.rule)
    .where(contract_verdicts.c.source == bindparam("source"), contract_verdicts.c.passed.is_(False))
    .where(contract_verdicts.c.blocks.is_(True) | (contract_verdicts.c.rule == bindparam("freshness")))
    .order_by(contract_verdicts.c.rule)
)
