"""Every stage of a matter that somebody was told of is kept, not the latest alone"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MATTER = ["kind", "subject_id", "worker_id"]


def upgrade() -> None:
    with op.batch_alter_table("mentions") as table:
        table.drop_constraint("pk_mentions", type_="primary")
        table.create_primary_key("pk_mentions", [*MATTER, "stage"])
        table.create_index("ix_mentions_message_key", ["message_key"])


def downgrade() -> None:
    # which of several stages came last is not known; a stage more that is told again does no harm
    op.execute(
        "DELETE FROM mentions WHERE EXISTS (SELECT 1 FROM mentions AS other WHERE other.kind = mentions.kind"
        " AND other.subject_id = mentions.subject_id AND other.worker_id = mentions.worker_id"
        " AND other.stage < mentions.stage)"
    )
    with op.batch_alter_table("mentions") as table:
        table.drop_index("ix_mentions_message_key")
        table.drop_constraint("pk_mentions", type_="primary")
        table.create_primary_key("pk_mentions", MATTER)
