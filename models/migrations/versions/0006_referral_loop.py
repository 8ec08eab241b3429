"""A referral is one row whatever opened it, and followed until it is closed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column("referrals", sa.Column("joined", JSON, nullable=False, server_default="[]"))
    op.add_column("referrals", sa.Column("direction", sa.String(length=8), nullable=False, server_default="up"))
    op.add_column("referrals", sa.Column("to_place", sa.String(length=120), nullable=False, server_default=""))
    op.add_column("referrals", sa.Column("arrived_on", sa.Date(), nullable=True))
    op.add_column("referrals", sa.Column("result", sa.String(length=400), nullable=True))
    op.add_column("referrals", sa.Column("returned_on", sa.Date(), nullable=True))
    _add_reference("down_record_id", "records")
    op.add_column("referrals", sa.Column("confirmed_on", sa.Date(), nullable=True))
    _add_reference("confirmed_in", "organisations")
    op.create_index(op.f("ix_referrals_resident_id"), "referrals", ["resident_id"])


def _add_reference(name: str, table: str) -> None:
    """One statement, and no batch: SQLite would make the table anew."""
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE referrals ADD COLUMN {name} {key} CONSTRAINT fk_referrals_{name} REFERENCES {table} (id)")


def downgrade() -> None:
    op.drop_index(op.f("ix_referrals_resident_id"), table_name="referrals")
    with op.batch_alter_table("referrals") as table:
        for name in (
            "confirmed_in", "confirmed_on", "down_record_id", "returned_on", "result", "arrived_on", "to_place",
            "direction", "joined",
        ):  # fmt: skip
            table.drop_column(name)
