"""What a record keeps secret: query texts are encrypted, and they and ids asked for in vain are hashed under keys.

Destroying the keys makes every query text unreadable, in this database and in its copies alike, and no guess at one can be confirmed
any more; the chain is over what is kept, so it stays valid. The keys are read in the transaction that uses them: once they are
replaced, nothing more is written under the old ones.
"""

import hashlib
import json
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select, update

from retrieval.adapters.catalog.engine import Database, translated
from retrieval.adapters.catalog.sealing import encoded, opened, sealed
from retrieval.adapters.catalog.tables import secrets
from retrieval.domain.errors import CatalogUnavailable

QUERY_KEY = "audit query text"
QUERY_HASH_KEY = "audit query hash"
ID_HASH_KEY = "audit id hash"
_NAMES = (QUERY_KEY, QUERY_HASH_KEY, ID_HASH_KEY)
_PURPOSE = b"archivist audit query 1"
_KEYS = select(secrets.c.name, secrets.c.value).where(secrets.c.name.in_(_NAMES))
_REPLACE = update(secrets).where(secrets.c.name == bindparam("key")).values(value=bindparam("replacement"))


@dataclass(frozen=True)
class AuditKeys:
    """The keys as they are now."""

    query: bytes = field(repr=False)
    query_hash: bytes = field(repr=False)
    id_hash: bytes = field(repr=False)

    def sealed_query(self, text: str) -> str:
        """Base64 of nonce, ciphertext and tag."""
        return sealed(text, self.query, bound_to=_PURPOSE)

    def opened_query(self, written: str) -> str | None:
        """None when its key has been destroyed."""
        return opened(written, self.query, bound_to=_PURPOSE)

    def hashed_query(self, text: str) -> str:
        return _keyed(self.query_hash, text)

    def hashed_id(self, id_: str) -> str:
        return _keyed(self.id_hash, id_)


def make_keys(database: Database) -> None:
    """So that they are there when a transaction needs them."""
    for name in _NAMES:
        database.secret(name)


def keys_of(connection: Connection) -> AuditKeys:
    """The keys in this transaction. Raises CatalogUnavailable when one is missing, although `make_keys` has been called before."""
    found: Mapping[str, bytes] = {row.name: bytes(row.value) for row in connection.execute(_KEYS)}
    if len(found) < len(_NAMES):
        raise CatalogUnavailable("the audit log has lost its keys")
    return AuditKeys(found[QUERY_KEY], found[QUERY_HASH_KEY], found[ID_HASH_KEY])


def replace_query_keys(connection: Connection) -> None:
    """Nothing that was encrypted or hashed under the old ones can be read or guessed at again."""
    for name in (QUERY_KEY, QUERY_HASH_KEY):
        connection.execute(_REPLACE, {"key": name, "replacement": random.token_bytes(32)})


def overwrite_freed_space(database: Database) -> None:
    """Remove what the database's files still hold of what was in its rows before.

    Raises:
        CatalogUnavailable: a reader needs the old state just now.
    """
    if not database.is_sqlite:
        with translated(), database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM secrets")
        return
    with translated(), database.engine.connect() as connection:
        connection.info["write"] = False
        driver = connection.connection.driver_connection
        is_busy = driver is not None and driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        raise CatalogUnavailable("the old key is destroyed, but not yet overwritten in the catalog's log file: do it again")


def opened_queries(database: Database, records: list[str]) -> list[str | None]:
    """The query text of each record; None where there was none or its key has been destroyed."""
    with database.read() as connection:
        keys = keys_of(connection)
    queries = [json.loads(record).get("query") for record in records]
    return [None if query is None else keys.opened_query(query) for query in queries]


def _keyed(key: bytes, text: str) -> str:
    return hashlib.blake2b(encoded(text), digest_size=32, key=key).hexdigest()
