"""API keys."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import api_keys
from retrieval.domain.audit import OPERATOR, AuditAction, AuditEntry
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.errors import InvalidInput
from retrieval.domain.keys import StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import roles_named


class CatalogKeys:
    """`ApiKeyStore` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: StoredApiKey, *, by: str = OPERATOR.subject) -> None:
        sources = key.principal.sources
        with self._database.write() as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    secret_hash=key.secret_hash,
                    principal_issuer=key.principal.issuer,
                    principal_kind=key.principal.kind.value,
                    principal_id=key.principal.id,
                    roles=json.dumps(sorted(key.roles)),
                    sources=None if sources is None else json.dumps(sorted(sources)),
                    label=key.label,
                    created_at=stamp(key.created_at),
                    expires_at=None if key.expires_at is None else stamp(key.expires_at),
                    revoked_at=None if key.revoked_at is None else stamp(key.revoked_at),
                )
            )
            granted = {
                "key": key.id,
                "subject": key.principal.subject,
                "roles": sorted(key.roles),
                "sources": None if sources is None else sorted(sources),
                "expires_at": None if key.expires_at is None else stamp(key.expires_at),
            }
            append(connection, AuditEntry(AuditAction.KEY_CREATED, by, details=granted), at=self._database.now())

    def find(self, key_id: str) -> StoredApiKey | None:
        with self._database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        return None if row is None else _stored(row)

    def list(self) -> list[StoredApiKey]:
        with self._database.read() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)).all()
        return [_stored(row) for row in rows]

    def revoke(self, key_id: str, at: datetime, *, by: str = OPERATOR.subject) -> None:
        with self._database.write() as connection:
            if connection.scalar(select(api_keys.c.id).where(api_keys.c.id == key_id)) is None:
                raise InvalidInput.of("key", "there is no such key")
            live = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            if connection.execute(update(api_keys).where(*live).values(revoked_at=stamp(at))).rowcount:
                append(connection, AuditEntry(AuditAction.KEY_REVOKED, by, details={"key": key_id}), at=self._database.now())


def _stored(row: Row[Any]) -> StoredApiKey:
    sources = None if row.sources is None else frozenset(json.loads(row.sources))
    return StoredApiKey(
        id=row.id,
        secret_hash=bytes(row.secret_hash),
        principal=Principal(row.principal_id, PrincipalKind(row.principal_kind), row.principal_issuer, sources=sources),
        roles=roles_named(json.loads(row.roles)),
        label=row.label,
        created_at=unstamp(row.created_at),
        expires_at=None if row.expires_at is None else unstamp(row.expires_at),
        revoked_at=None if row.revoked_at is None else unstamp(row.revoked_at),
    )
