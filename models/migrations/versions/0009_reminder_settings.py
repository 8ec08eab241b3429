"""What is set for an area's reminders, and what was told once within a digest"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("organisations", sa.Column("settings", JSON, nullable=False, server_default="{}"))
    op.create_table(
        "mentions",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("worker_id", KEY, nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("message_key", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["health_workers.id"], name=op.f("fk_mentions_worker_id")),
        sa.PrimaryKeyConstraint("kind", "subject_id", "worker_id", name=op.f("pk_mentions")),
    )


def downgrade() -> None:
    op.drop_table("mentions")
    op.drop_column("organisations", "settings")
