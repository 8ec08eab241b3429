"""Every table, imported once, so that the metadata is whole wherever a schema is made or compared."""

from models import campaign, conversation, enrolment, outbox, people, record, tally, tokens
from models.base import Base

TABLES = (campaign, conversation, enrolment, outbox, people, record, tally, tokens)
metadata = Base.metadata
