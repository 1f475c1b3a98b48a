"""Owners' policies on answers, out of the registered sources. What was read of one registration is remembered."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import sources
from retrieval.domain.answer_policy import UNSAID, AnswerPolicy
from retrieval.domain.sources import spec_from_json
from retrieval.remembered import Remembered

REMEMBERED_POLICIES = 1_024
_WANTED = sources.c.id.in_(bindparam("wanted", expanding=True))
_VERSIONS = select(sources.c.id, sources.c.spec_version).where(_WANTED)
_SPECS = select(sources.c.id, sources.c.spec).where(_WANTED)


class CatalogAnswerPolicies:
    """`AnswerPolicies` over the catalog. A registration never changes, so its policy is remembered by source and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: Remembered[AnswerPolicy] = Remembered(REMEMBERED_POLICIES)

    def of(self, sources: Sequence[str]) -> Mapping[str, AnswerPolicy]:
        wanted = list(dict.fromkeys(sources))
        policies = {source: AnswerPolicy.of(source, UNSAID) for source in wanted}
        if not wanted:
            return policies
        with self._database.read() as connection:
            registrations = {row.id: f"{row.id}@{row.spec_version}" for row in connection.execute(_VERSIONS, {"wanted": wanted})}
            known = {source: self._remembered.get(registration) for source, registration in registrations.items()}
            unknown = [source for source, policy in known.items() if policy is None]
            rows = connection.execute(_SPECS, {"wanted": unknown}).all() if unknown else []
        read = {row.id: AnswerPolicy.of(row.id, spec_from_json(json.loads(row.spec)).answers) for row in rows}
        self._remembered.keep({registrations[source]: policy for source, policy in read.items()})
        return policies | {source: policy for source, policy in known.items() if policy is not None} | read
