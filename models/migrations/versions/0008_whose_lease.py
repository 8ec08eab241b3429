"""A lease says whose it is, and a chat's open messages are found at once"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = sa.text("status IN ('queued', 'leased') AND account IS NOT NULL")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("leased_by", sa.SmallInteger(), nullable=True))
    op.create_index("ix_outbox_open_chat", "outbox", ["channel", "account"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_outbox_open_chat", table_name="outbox")
    op.drop_column("outbox", "leased_by")
