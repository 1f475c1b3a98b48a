"""Documents with personal data whose owner wants them read by few. They stay so as long as any version that is kept holds such data."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, true

from retrieval.adapters.catalog.tables import document_versions, documents, inspected_texts, sources
from retrieval.domain.contracts import ContractTerms, PersonalData, contract_from_json
from retrieval.domain.documents import SourceFile
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import EVERYONE, AccessPolicy


def as_restricted(connection: Connection, source: str, by_id: Mapping[str, SourceFile]) -> Mapping[str, SourceFile]:
    """The files with the policies that they may have: what a source grants is taken back where its contract says so."""
    policies = limited(connection, source, {id_: file.policy for id_, file in by_id.items()})
    return {id_: file if policies[id_] is file.policy else replace(file, policy=policies[id_]) for id_, file in by_id.items()}


def limited(connection: Connection, source: str, policies: Mapping[str, AccessPolicy]) -> Mapping[str, AccessPolicy]:
    """The policies of these documents as the source's contract leaves them; the others of the source are not asked about."""
    owner, terms = terms_of(connection, source)
    if terms.personal_data is not PersonalData.RESTRICT:
        return policies
    wanted = list(policies)
    found = with_personal_data(connection, source, terms, or_(documents.c.id.in_(wanted), documents.c.parent.in_(wanted)))
    return {id_: reduced(policy, named(terms, owner)) if id_ in found else policy for id_, policy in policies.items()}


def with_personal_data(
    connection: Connection, source: str, terms: ContractTerms, among: ColumnElement[bool] | None = None
) -> frozenset[str]:
    """Documents that hold, or whose attachments hold, personal data of the kinds that count. Attachments are named by their document."""
    rows = connection.execute(_HOLDING.where(documents.c.source == source, true() if among is None else among))
    return frozenset(row.root for row in rows if counted(json.loads(row.findings)["personal"], terms))


def counted(personal: Mapping[str, int], terms: ContractTerms) -> dict[str, int]:
    """Those of the found kinds that count for the contract."""
    return {kind: count for kind, count in personal.items() if not terms.personal_kinds or kind in terms.personal_kinds}


def reduced(policy: AccessPolicy, to: frozenset[str]) -> AccessPolicy:
    """Of the allowed subjects only those; all of those where everybody was allowed. It gives nobody anything."""
    return AccessPolicy(to if EVERYONE in policy.allow else policy.allow & to, policy.deny)


def named(terms: ContractTerms, owner: str) -> frozenset[str]:
    return frozenset(terms.restricted_to or (owner,))


def terms_of(connection: Connection, source: str) -> tuple[str, ContractTerms]:
    """The source's owner and its contract as they are registered now. Raises InvalidInput for an unknown source."""
    stored = connection.scalar(select(sources.c.spec).where(sources.c.id == source))
    if stored is None:
        raise InvalidInput.of("source", "there is no such source")
    spec: Mapping[str, Any] = json.loads(stored)
    return str(spec["owner"]), contract_from_json(spec.get("contract"), [])


_HOLDING: Select[Any] = (
    select(func.coalesce(documents.c.parent, documents.c.id).label("root"), inspected_texts.c.findings)
    .join(document_versions, document_versions.c.document == documents.c.id)
    .join(inspected_texts, inspected_texts.c.text == document_versions.c.text)
)
