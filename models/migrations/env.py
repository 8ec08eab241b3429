"""Run by Alembic: migrations on the connection that `models.migrate` hands over."""

from alembic import context

from models.base import UtcDateTime
from models.everything import metadata


def render_item(kind, item, autogen_context):  # type: ignore[no-untyped-def]
    """A migration must not change when our column type does: it names the plain one."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True, render_item=render_item
)
with context.begin_transaction():
    context.run_migrations()
