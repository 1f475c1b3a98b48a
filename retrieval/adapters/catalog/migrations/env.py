"""Alembic's entry point. `Database.migrate` hands over the connection."""

from alembic import context

from retrieval.adapters.catalog.tables import metadata

ADVISORY_LOCK = 7_204_731
"""Any fixed number: two processes that start at once migrate one after the other on PostgreSQL too."""

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
    context.run_migrations()
