"""Every change of a row that a reminder may depend on, with the world's instant: written by the database itself.

Triggers write it in the transaction that changes the row, so the order of the history is the order in which the
changes could be seen by anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from models.base import Store
from models.everything import metadata

KEPT: dict[str, tuple[str, ...]] = {
    "enrolments": ("resident_id", "village_id", "programme", "next_due_on", "due_from", "next_service", "urgency",
                   "snoozed_until", "ended_on", "details"),
    "residents": ("status",),
    "records": ("service", "programme", "resident_id", "worker_id", "village_id", "on_day", "mode", "urgency", "status",
                "flags", "draft_key"),
    "referrals": ("resident_id", "village_id", "direction", "urgency", "sent_on", "ask_on", "arrived", "returned_on",
                  "closed_at"),
    "agreements": ("resident_id", "village_id", "starts_on", "ends_on", "ended_on", "status"),
    "campaigns": ("organisation_id", "areas", "days", "rule", "status", "edition", "kind"),
    "campaign_residents": ("campaign_id", "resident_id", "listed", "told_on", "came_on", "declined_on"),
    "channel_accounts": ("worker_id", "channel", "account", "bound_at", "last_heard_at", "unreachable_why",
                         "unreachable_since"),
    "health_workers": ("settings", "active"),
    "mentions": ("kind", "subject_id", "worker_id", "stage", "message_key"),
    "outbox": ("dedup_key", "kind", "worker_id", "channel", "account", "reminder", "arguments", "status", "reason",
               "planned_at", "not_before", "expires_at", "leased_until", "attempts", "sent_at"),
}  # fmt: skip
ROW_KEY = {
    "mentions": "NEW.kind || '.' || NEW.subject_id || '.' || NEW.worker_id",
    "campaign_residents": "NEW.campaign_id || '.' || NEW.resident_id",
}
ONLY_WITH_REMINDER = "outbox"  # replies are many, and their story is told by their last state


def kept(table: str) -> list[str]:
    """The columns of KEPT that this version of the program has."""
    return [name for name in KEPT[table] if name in metadata.tables[table].c]


def keep_history(store: Store) -> None:
    """Begin with the rows as they are."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE sim_history (id INTEGER PRIMARY KEY, at REAL, tab TEXT, row_key TEXT, data TEXT)"
        )
        for table in KEPT:
            new = f"json_object({', '.join(_pair(table, name, 'NEW') for name in kept(table))})"
            key = ROW_KEY.get(table, "NEW.id")
            says = f"INSERT INTO sim_history (at, tab, row_key, data) VALUES (sim_now(), '{table}', {key}, {new});"
            when = "WHEN NEW.reminder IS NOT NULL" if table == ONLY_WITH_REMINDER else ""
            columns = ", ".join(kept(table))
            connection.exec_driver_sql(f"CREATE TRIGGER h_{table}_i AFTER INSERT ON {table} {when} BEGIN {says} END")
            connection.exec_driver_sql(
                f"CREATE TRIGGER h_{table}_u AFTER UPDATE OF {columns} ON {table} {when} BEGIN {says} END"
            )
            already = "WHERE old.status != 'active'" if table == "residents" else ""
            row = f"json_object({', '.join(_pair(table, name, 'old') for name in kept(table))})"
            connection.exec_driver_sql(
                f"INSERT INTO sim_history (at, tab, row_key, data)"
                f" SELECT -1, '{table}', {key.replace('NEW.', 'old.')}, {row} FROM {table} AS old {already}"
            )


def _pair(table: str, name: str, of: str) -> str:
    is_json = isinstance(metadata.tables[table].c[name].type, JSON)
    return f"'{name}', " + (f"json({of}.{name})" if is_json else f"{of}.{name}")


def show_time(engine: Engine, now: Callable[[], float]) -> None:
    """The database asks the world for the time."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, record: Any) -> None:
        connection.create_function("sim_now", 0, now)  # type: ignore[attr-defined]
