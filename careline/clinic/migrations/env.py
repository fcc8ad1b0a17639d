"""How Alembic reaches the database and the models (`careline db upgrade` calls it)."""

from alembic import context

from careline.clinic.db import make_engine
from careline.clinic.tables import metadata
from careline.settings import settings

made = make_engine(context.config.attributes.get("url") or settings().database_url)
with made.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata(), render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    if connection.in_transaction():
        connection.commit()
made.dispose()
