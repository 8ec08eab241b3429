"""Every change of a row that a reminder may depend on, with the world's instant: written by the database itself.

Triggers write it in the transaction that changes the row, so the order of the history is the order in which the
changes could be seen by anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, Float, MetaData, Table, Text, create_engine, event, select

from models.base import Key, Store, UtcDateTime
from models.everything import metadata

KEPT: dict[str, tuple[str, ...]] = {
    "enrolments": ("resident_id", "village_id", "programme", "next_due_on", "due_from", "next_service", "urgency",
                   "snoozed_until", "ended_on", "details"),
    "residents": ("status",),
    "records": ("service", "programme", "resident_id", "worker_id", "village_id", "on_day", "mode", "urgency", "status",
                "flags", "draft_key", "answers"),
    "referrals": ("record_id", "joined", "resident_id", "village_id", "direction", "urgency", "sent_on", "ask_on",
                  "arrived", "returned_on", "closed_at"),
    "agreements": ("resident_id", "village_id", "starts_on", "ends_on", "ended_on", "status"),
    "campaigns": ("organisation_id", "worker_id", "areas", "days", "rule", "status", "edition", "kind"),
    "milestones": ("campaign_id", "due_on", "organisations"),
    "campaign_residents": ("campaign_id", "resident_id", "listed", "told_on", "came_on", "declined_on"),
    "appointments": ("record_id", "resident_id", "village_id", "on_day", "closed_at"),
    "screening_results": ("record_id", "resident_id", "village_id", "test", "on_day", "result", "arrived_on",
                          "closed_on"),
    "infectious_reports": ("record_id", "village_id", "noticed_at", "due_at", "confirmed_at"),
    "channel_accounts": ("worker_id", "channel", "account", "bound_at", "last_heard_at", "unreachable_why",
                         "unreachable_since"),
    "health_workers": ("settings", "active"),
    "mentions": ("kind", "subject_id", "worker_id", "stage", "message_key"),
    "outbox": ("dedup_key", "kind", "worker_id", "channel", "account", "reminder", "arguments", "status", "reason",
               "planned_at", "not_before", "expires_at", "leased_until", "attempts", "sent_at"),
}  # fmt: skip
ROW_KEY = {
    "mentions": "NEW.kind || '.' || NEW.subject_id || '.' || NEW.worker_id || '.' || NEW.stage",
    "campaign_residents": "NEW.campaign_id || '.' || NEW.resident_id",
    "screening_results": "NEW.record_id",
}
HISTORY = Table(
    "sim_history",
    MetaData(),
    Column("id", Key, primary_key=True),
    Column("at", Float),
    Column("tab", Text),
    Column("row_key", Text),
    Column("data", Text),
)
NOW = {True: "sim_now()", False: "current_setting('sim.now')::float"}
READ = ("organisations", "health_workers", "residents", "campaigns", "campaign_residents", "outbox")
"""Tables that the oracle looks at as they are in the end."""
ONLY_WITH_REMINDER = "outbox"  # replies are many, and their story is told by their last state


def kept(table: str) -> list[str]:
    """The columns of KEPT that this version of the program has."""
    return [name for name in KEPT[table] if name in metadata.tables[table].c]


def keep_history(store: Store) -> None:
    """Begin with the rows as they are."""
    with store.engine.begin() as connection:
        HISTORY.create(connection)
        for table in KEPT:
            key = ROW_KEY.get(table, "NEW.id")
            already = "WHERE old.status != 'active'" if table == "residents" else ""
            connection.exec_driver_sql(
                f"INSERT INTO sim_history (at, tab, row_key, data) SELECT -1, '{table}', {key.replace('NEW.', 'old.')},"
                f" {_json(store, table, 'old')} FROM {table} AS old {already}"
            )
            says = (
                f"INSERT INTO sim_history (at, tab, row_key, data)"
                f" VALUES ({NOW[store.is_sqlite]}, '{table}', {key}, {_json(store, table, 'NEW')});"
            )
            for statement in (_sqlite if store.is_sqlite else _postgresql)(table, says):
                connection.exec_driver_sql(statement)


def _sqlite(table: str, says: str) -> Iterator[str]:
    when = "WHEN NEW.reminder IS NOT NULL" if table == ONLY_WITH_REMINDER else ""
    yield f"CREATE TRIGGER h_{table}_i AFTER INSERT ON {table} {when} BEGIN {says} END"
    yield f"CREATE TRIGGER h_{table}_u AFTER UPDATE OF {', '.join(kept(table))} ON {table} {when} BEGIN {says} END"


def _postgresql(table: str, says: str) -> Iterator[str]:
    when = "WHEN (NEW.reminder IS NOT NULL)" if table == ONLY_WITH_REMINDER else ""
    yield f"CREATE FUNCTION h_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {says} RETURN NULL; END $$"
    yield (
        f"CREATE TRIGGER h_{table} AFTER INSERT OR UPDATE OF {', '.join(kept(table))} ON {table}"
        f" FOR EACH ROW {when} EXECUTE FUNCTION h_{table}()"
    )


def _json(store: Store, table: str, of: str) -> str:
    """SQL: the kept columns of a row as a JSON text; instants as SQLite keeps them."""
    pairs = []
    for name in kept(table):
        kind, value = metadata.tables[table].c[name].type, f"{of}.{name}"
        if isinstance(kind, JSON) and store.is_sqlite:
            value = f"json({value})"
        elif isinstance(kind, UtcDateTime) and not store.is_sqlite:
            value = f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        pairs.append(f"'{name}', {value}")
    return f"json_object({', '.join(pairs)})" if store.is_sqlite else f"json_build_object({', '.join(pairs)})::text"


def show_time(engine: Engine, now: Callable[[], float]) -> None:
    """The database asks the world for the time; PostgreSQL is told it when a transaction begins, in which none passes."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection: Any, record: Any) -> None:
            connection.create_function("sim_now", 0, now)

    else:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT set_config('sim.now', '{now():.6f}', true)")


def brought_home(store: Store, path: Path) -> None:
    """What the oracle reads, from PostgreSQL into a file of SQLite."""
    home = create_engine(f"sqlite:///{path}")
    metadata.create_all(home)
    HISTORY.create(home)
    with store.read() as session, home.begin() as there:
        for table in (*(metadata.tables[name] for name in READ), HISTORY):
            rows = [dict(row._mapping) for row in session.execute(select(table))]
            if rows:
                there.execute(table.insert(), rows)
    home.dispose()
