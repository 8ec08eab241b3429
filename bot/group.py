"""The messages of one transaction: who wrote them, what is answered, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Dialect, Insert, Select, bindparam, select, tuple_
from sqlalchemy.orm import Session

from handlers import binding
from handlers.answer import answer
from handlers.turn import Turn
from models.base import Store
from models.charts import charts_of
from models.conversation import Conversation, ConversationRow, open_conversation, seal_conversation
from models.message import IncomingMessage
from models.outbox import ReceivedEvent, insert_for, say
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from models.prepared import Prepared
from models.scope import Scope

HEARD_EVERY = timedelta(hours=1)  # how exactly we know which channel a worker used last
Row = dict[str, Any]


@dataclass(slots=True)
class Person:
    """The worker behind an account, with the conversation as it moves from message to message."""

    worker: HealthWorker
    scope: Scope
    conversation: Conversation
    account: ChannelAccount


@dataclass(frozen=True, slots=True)
class County:
    """What messages are answered with, whoever writes."""

    store: Store
    clock: Callable[[], datetime]
    tz: tzinfo
    settings: Mapping[str, Any]


@dataclass(slots=True)
class Group:
    """The messages of one transaction. `people` may be known from the one before (bot.memory)."""

    county: County
    session: Session
    now: datetime
    people: dict[tuple[str, str], Person]
    touched: dict[int, Person] = field(default_factory=dict)
    replies: list[Row] = field(default_factory=list)  # born leased to us: to be sent right after the commit

    def fresh(self, messages: list[IncomingMessage]) -> list[IncomingMessage]:
        """The messages not seen before; their event ids are written down in the same transaction."""
        rows = {
            (m.channel, m.event_id): {"channel": m.channel, "event_id": m.event_id, "at": self.now} for m in messages
        }
        new = {key for key in sorted(rows) if _NOTED.first(self.session, **rows[key])}
        found: dict[tuple[str, str], IncomingMessage] = {}
        for message in messages:
            if (message.channel, message.event_id) in new:
                found.setdefault((message.channel, message.event_id), message)
        return list(found.values())

    def load(self, messages: Iterable[IncomingMessage]) -> None:
        """Everybody who speaks in this group and is not known yet, with conversation and scope, in one query.

        Other processes wait for their rows to be free. The lock is a statement of its own: what a statement reads is as
        it was when the statement began, and by the time the lock is ours their conversations may have moved on.
        """
        said_by = {(m.channel, m.account) for m in messages}
        if wanted := sorted(said_by - self.people.keys()):
            if not self.county.store.is_sqlite:
                self.session.execute(_LOCK, {"accounts": wanted})
            self._ask_for(wanted)
        people = [self.people[account] for account in said_by if account in self.people]
        for person in people:
            self._heard(person.account)
        drafts = (draft for person in people for draft in person.conversation.drafts)
        charts_of(self.session).fetch(draft.resident_id for draft in drafts if draft.resident_id is not None)

    def _ask_for(self, accounts: list[tuple[str, str]]) -> None:
        known = {person.worker.id: person for person in self.people.values()}
        for account, worker, path, sealed in self.session.execute(_PEOPLE, {"accounts": accounts}):
            if (person := known.get(worker.id)) is not None:  # on both channels: one conversation
                person = replace(person, account=account)
            else:
                villages = tuple(worker.villages) if worker.role == Role.DOCTOR else None
                scope = Scope(worker.organisation_id, path, villages, names=worker.role != Role.COUNTY)
                conversation = open_conversation(sealed, self.county.store.keyring)
                person = known[worker.id] = Person(worker, scope, conversation, account)
            self.people[account.channel, account.account] = person

    def _heard(self, account: ChannelAccount) -> None:
        silent = account.last_heard_at is None or self.now - account.last_heard_at > HEARD_EVERY
        if silent or account.unreachable_why is not None:
            account.last_heard_at, account.unreachable_why = self.now, None

    def answer(self, message: IncomingMessage) -> None:
        """Answer one message; the replies are promised in the same transaction."""
        person = self.people.get((message.channel, message.account))
        if person is None:
            replies, worker_id = binding.answer_stranger(self.session, message, self.now), None
            self.load([message])  # bound by now, perhaps: what else they wrote is a worker's
        else:
            turn = Turn(
                session=self.session,
                now=self.now,
                tz=self.county.tz,
                worker=person.worker,
                scope=person.scope,
                conversation=person.conversation,
                incoming=message,
                settings=self.county.settings,
            )
            answer(turn)
            replies, worker_id = turn.replies, person.worker.id
            self.touched[worker_id] = person
        for number, reply in enumerate(replies):
            if number == 0 and reply.many and message.chosen and message.message_ref:
                reply = replace(reply, replaces=message.message_ref)
            row = say(
                self.session,
                reply,
                dedup_key=f"{message.channel}:{message.event_id}:{number}",
                now=self.now,
                worker_id=worker_id,
                channel=message.channel,
                account=message.account,
            )
            if row["status"] == "leased":
                self.replies.append(row)

    def save(self) -> None:
        """Keep the conversations as they are now."""
        keyring = self.county.store.keyring
        rows = [
            {"worker_id": i, "sealed": seal_conversation(person.conversation, keyring), "updated_at": self.now}
            for i, person in sorted(self.touched.items())
        ]
        if rows:
            _KEPT.each(self.session, rows)


def _note(dialect: Dialect) -> Insert:
    """Write an event down; returns it unless it was seen before."""
    return insert_for(dialect)(ReceivedEvent).on_conflict_do_nothing().returning(ReceivedEvent.event_id)


def _keep(dialect: Dialect) -> Insert:
    """Keep a conversation as it is now."""
    insert = insert_for(dialect)(ConversationRow)
    now = {"sealed": insert.excluded.sealed, "updated_at": insert.excluded.updated_at}
    return insert.on_conflict_do_update(index_elements=["worker_id"], set_=now)


_NOTED = Prepared(_note)
_KEPT = Prepared(_keep)


def _of_accounts(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The active workers behind some accounts, always in one order, so that two processes never wait for each other."""
    account = tuple_(ChannelAccount.channel, ChannelAccount.account)
    return (
        query.join(HealthWorker, HealthWorker.id == ChannelAccount.worker_id)
        .where(account.in_(bindparam("accounts", expanding=True)), HealthWorker.active)
        .order_by(HealthWorker.id)
    )


_LOCK = _of_accounts(select(HealthWorker.id).select_from(ChannelAccount)).with_for_update(
    key_share=True, of=HealthWorker
)
_PEOPLE = (
    _of_accounts(select(ChannelAccount, HealthWorker, Organisation.path, ConversationRow.sealed))
    .join(Organisation, Organisation.id == HealthWorker.organisation_id)
    .outerjoin(ConversationRow, ConversationRow.worker_id == HealthWorker.id)
)
