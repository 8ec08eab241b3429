"""Agreements have numbers, follow one another, and can be ended with a reason"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agreements", sa.Column("number", sa.String(length=40), nullable=True))
    op.add_column("agreements", sa.Column("ended_on", sa.Date(), nullable=True))
    op.add_column("agreements", sa.Column("end_reason", sa.Integer(), nullable=True))
    _add_reference("ended_by_id", "records")
    _add_reference("renews_id", "agreements")
    op.create_index(op.f("ix_agreements_number"), "agreements", ["number"])


def _add_reference(name: str, table: str) -> None:
    """One statement, and no batch: SQLite would make the table anew."""
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE agreements ADD COLUMN {name} {key} CONSTRAINT fk_agreements_{name} REFERENCES {table} (id)"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_agreements_number"), table_name="agreements")
    with op.batch_alter_table("agreements") as table:
        for name in ("renews_id", "ended_by_id", "end_reason", "ended_on", "number"):
            table.drop_column(name)
