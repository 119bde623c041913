"""Run by Alembic with the connection that `migrate` holds."""

from alembic import context

from server.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=False)
with context.begin_transaction():
    context.run_migrations()
