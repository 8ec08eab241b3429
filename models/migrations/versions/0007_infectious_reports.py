"""Infectious reports and their clocks"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "infectious_reports",
        sa.Column("id", KEY, nullable=False),
        sa.Column("record_id", KEY, nullable=False),
        sa.Column("village_id", KEY, nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_infectious_reports_record_id")),
        sa.ForeignKeyConstraint(["village_id"], ["organisations.id"], name=op.f("fk_infectious_reports_village_id")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["health_workers.id"], name=op.f("fk_infectious_reports_confirmed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_infectious_reports")),
        sa.UniqueConstraint("record_id", name=op.f("uq_infectious_reports_record_id")),
    )
    op.create_index("ix_infectious_reports_due_at", "infectious_reports", ["due_at"])


def downgrade() -> None:
    op.drop_table("infectious_reports")
