"""A catalog of an earlier version, brought to this one with everything in it."""

import json

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import metadata
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from retrieval.settings import Settings
from tests.story import ANN, BOB

pytestmark = pytest.mark.contract


@pytest.fixture
def catalog(bare_url: str):
    """Two sources whose documents share a policy, as the first schema kept them, opened by this version."""
    database = Database(bare_url)
    database.migrate(to="0001")
    with database.write() as connection:
        for statement in _FIRST_SCHEMA:
            connection.execute(text(statement), {"hash": b""} if ":hash" in statement else {})
    database.close()
    catalog = open_catalog(Settings(catalog_url=bare_url))
    yield catalog
    catalog.close()


def test_the_migrated_schema_is_the_one_that_the_tables_describe(catalog: Catalog):
    with catalog.database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    assert differences == []


def test_a_shared_class_becomes_one_for_each_source(catalog: Catalog):
    with catalog.database.read() as connection:
        classes = connection.execute(text("SELECT id, source, passages FROM access_classes ORDER BY id")).all()
        documents = connection.execute(text("SELECT id, access_class FROM documents ORDER BY id")).all()

    assert [tuple(row) for row in classes] == [(1, "handbook", 3), (2, "handbook", 0), (4, "wiki", 2)]
    assert [tuple(row) for row in documents] == [("doc_a", 1), ("doc_b", 4), ("doc_c", 2)]


def test_readers_stay_who_they_were(catalog: Catalog):
    assert catalog.gate.scope(ANN).classes == (1, 4)
    assert catalog.gate.scope(BOB).classes == (2,)


def test_indexes_are_told_of_what_moved(catalog: Catalog):
    with catalog.database.read() as connection:
        changes = connection.execute(text("SELECT document, revision, content_revision FROM changes ORDER BY document")).all()

    assert [tuple(row) for row in changes] == [("doc_a", 3, 3), ("doc_b", 8, 3)]


def test_sources_and_keys_keep_what_they_said(catalog: Catalog):
    with catalog.database.read() as connection:
        sensitivities = dict(connection.execute(text("SELECT id, sensitivity FROM sources")).tuples().all())
    roles = {key.principal: key.roles for key in catalog.keys.list()}

    assert sensitivities == {"handbook": 1, "wiki": 3}
    assert roles == {Principal("ann"): {Role.USER}, Principal("bot", PrincipalKind.APP): {Role.APP}}


def test_what_was_current_when_is_kept_as_intervals(catalog: Catalog):
    with catalog.database.read() as connection:
        intervals = connection.execute(text("SELECT version, valid_from, valid_to FROM validity ORDER BY version")).all()
        revisions = connection.execute(text("SELECT value, at FROM revisions ORDER BY value")).all()

    assert [tuple(row) for row in intervals] == [("ver_a", 3, None), ("ver_b", 3, None)]
    assert revisions[-1].value == catalog.revision()
    assert [row.at for row in revisions] == sorted(row.at for row in revisions)


def _source(id_: str, classification: str) -> str:
    spec = {"id": id_, "kind": "files", "title": id_, "owner": "user:dana", "classification": classification}
    columns = "id, kind, spec, spec_version, state, run_token, registered_at, registered_by"
    written = json.dumps(spec).replace(":", r"\:")
    return f"INSERT INTO sources ({columns}) VALUES ('{id_}', 'files', '{written}', 1, 'active', 0, '', '')"


def _document(id_: str, source: str, access_class: int, version: str | None) -> str:
    columns = "id, source, key, uri, access_class, current_version"
    current = "NULL" if version is None else f"'{version}'"
    return f"INSERT INTO documents ({columns}) VALUES ('{id_}', '{source}', '{id_}', '', {access_class}, {current})"


def _version(id_: str, document: str, source: str, passages: int) -> str:
    columns = "id, document, source, number, state, content_hash, recipe, parsed, text, title, media_type, uri, passages, valid_from"
    return (
        f"INSERT INTO document_versions ({columns}) "
        f"VALUES ('{id_}', '{document}', '{source}', 1, 'current', '', '', 'p', 't', '', '', '', {passages}, 3)"
    )


def _key(id_: str, kind: str, name: str) -> str:
    columns = "id, secret_hash, principal_issuer, principal_kind, principal_id, label, created_at"
    return (
        f"INSERT INTO api_keys ({columns}) VALUES ('{id_}', :hash, 'archivist', '{kind}', '{name}', '', '2026-01-01T00\\:00\\:00.000000Z')"
    )


_FIRST_SCHEMA = [
    "UPDATE revision SET value = 7",
    _source("handbook", "internal"),
    _source("wiki", "restricted"),
    "INSERT INTO access_classes (fingerprint, passages) VALUES ('f1', 5), ('f2', 0), ('f3', 0)",
    "INSERT INTO grants (access_class, effect, subject) VALUES (1, 'allow', 'group:staff'), (2, 'allow', 'user:bob')",
    "INSERT INTO grants (access_class, effect, subject) VALUES (3, 'allow', 'user:nobody')",
    "INSERT INTO memberships (member, \"group\") VALUES ('user:ann', 'group:staff')",
    "INSERT INTO texts (hash, text, elements) VALUES ('t', '', '[]')",
    "INSERT INTO parsed (key, text, title, media_type, method, metadata, attachments) VALUES ('p', 't', '', '', '', '{}', '[]')",
    _document("doc_a", "handbook", 1, "ver_a"),
    _document("doc_b", "wiki", 1, "ver_b"),
    _document("doc_c", "handbook", 2, None),
    _version("ver_a", "doc_a", "handbook", 3),
    _version("ver_b", "doc_b", "wiki", 2),
    "INSERT INTO changes (document, revision, content_revision) VALUES ('doc_a', 3, 3), ('doc_b', 3, 3)",
    _key("k1", "user", "ann"),
    _key("k2", "app", "bot"),
]
"""In the order that foreign keys allow."""
