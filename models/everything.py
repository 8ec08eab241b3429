"""Every table, imported once, so that the metadata is whole wherever a schema is made or compared."""

from models import (
    appointment,
    campaign,
    conversation,
    enrolment,
    infectious,
    mention,
    outbox,
    people,
    record,
    tally,
    tokens,
)
from models.base import Base

TABLES = (
    appointment, campaign, conversation, enrolment, infectious, mention, outbox, people, record, tally, tokens,
)  # fmt: skip
metadata = Base.metadata
