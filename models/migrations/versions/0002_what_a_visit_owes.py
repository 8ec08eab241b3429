"""What a visit owes: the next form, its window, and what the enrolment must remember"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column("enrolments", sa.Column("due_from", sa.Date(), nullable=True))
    op.add_column("enrolments", sa.Column("next_service", sa.String(length=40), nullable=True))
    op.add_column("enrolments", sa.Column("details", JSON, nullable=False, server_default="{}"))
    op.add_column("records", sa.Column("owes", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("records", "owes")
    op.drop_column("enrolments", "details")
    op.drop_column("enrolments", "next_service")
    op.drop_column("enrolments", "due_from")
