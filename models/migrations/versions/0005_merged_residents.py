"""Somebody registered twice: the entry under which everything is kept"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One statement, and no batch: SQLite would make the table anew and, dropping the old one, empty what refers to it.
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE residents ADD COLUMN merged_into_id {key}"
        " CONSTRAINT fk_residents_merged_into_id REFERENCES residents (id)"
    )


def downgrade() -> None:
    op.drop_column("residents", "merged_into_id")
