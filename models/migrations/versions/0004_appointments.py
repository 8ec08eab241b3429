"""Appointments"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", KEY, nullable=False),
        sa.Column("record_id", KEY, nullable=False),
        sa.Column("resident_id", KEY, nullable=False),
        sa.Column("village_id", KEY, nullable=False),
        sa.Column("worker_id", KEY, nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_appointments_record_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_appointments_resident_id")),
        sa.ForeignKeyConstraint(["village_id"], ["organisations.id"], name=op.f("fk_appointments_village_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["health_workers.id"], name=op.f("fk_appointments_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    op.create_index(op.f("ix_appointments_record_id"), "appointments", ["record_id"])
    op.create_index("ix_appointments_village_id_on_day", "appointments", ["village_id", "on_day"])


def downgrade() -> None:
    op.drop_table("appointments")
