"""What has to be said to whom on a day, by the words of docs/timetable.md and domain.md: plain Python over rows.

Nothing of the program is imported. Days are ISO words, which compare as days do. What is nowhere in those words but is
the program's choice, and the oracle's too, is marked [D].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.campaign_rules import CAMPAIGNS, Matter, campaigns_to_speak_of
from tests.simulation.errand_rules import appointments, positives, positives_township
from tests.simulation.office_rules import OF_OFFICES, once_in_offices, open_in_offices
from tests.simulation.working_days import is_holiday, is_working_day

CHINA = ZoneInfo("Asia/Shanghai")
Row = Mapping[str, Any]
HERE = ("active", "absent")
PRESSING = ("emergency", "refer")
TOWNSHIP_DAYS, COUNTY_DAYS, SILENT_DAYS, UNSERVED_DAYS = 14, 30, 7, 90
UNSERVED_TOLD_WITHIN = 14  # [D] whoever has waited longer stands in the figures
NO_SERVICE = ("signing", "signing_end", "health_record")
UNHEARD = ("failed", "cancelled")
BY_VILLAGE = ("enrolments", "referrals", "agreements", "appointments", "screening_results")


@dataclass(frozen=True)
class Worker:
    id: int
    code: str
    name: str
    role: str
    place: str
    """The path of the organisation where they sit."""
    villages: tuple[int, ...]


@dataclass
class Reasons:
    """Why something is said to a worker: some matters as long as they are open, others once."""

    visits: set[int] = field(default_factory=set)
    """Residents to be visited."""
    open: set[tuple[str, int]] = field(default_factory=set)
    """(what, which row): referrals to ask after, appointments, results without an end, plans."""
    once: dict[tuple[str, int], str] = field(default_factory=dict)
    """(what, which row) -> its stage."""
    other: bool = False
    """One that stands alone: an alarm, a notice."""

    def __bool__(self) -> bool:
        return bool(self.visits or self.open or self.once or self.other)

    def lasting(self, later: Reasons) -> bool:
        """Was something of it still to be said later on?"""
        still = self.once.items() & later.once.items()
        return bool(self.visits & later.visits or self.open & later.open or still)


class State:
    """The rows of the county at one moment of its history."""

    def __init__(self, workers: Iterable[Worker], seats: Mapping[int, str], villages: Iterable[int]) -> None:
        self.workers = {worker.id: worker for worker in workers}
        self.seats, self.places = seats, {village: seats[village] for village in villages}
        self._below: dict[int, list[int]] = {}
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self.by_village: dict[str, dict[int, dict[str, Row]]] = defaultdict(lambda: defaultdict(dict))
        self.status: dict[int, str] = {}
        self.records: dict[int, Row] = {}
        self.services: dict[int, dict[str, Row]] = defaultdict(dict)
        self.progress: dict[tuple[int, int], dict[int, Row]] = defaultdict(dict)
        """(milestone, organisation) -> what was reported."""
        self.signed: dict[int, dict[str, Row]] = defaultdict(dict)
        self.heard_in: dict[int, dict[str, Row]] = defaultdict(dict)
        self.told: dict[tuple[str, int, int], dict[str, str]] = defaultdict(dict)
        """(what, which row, worker) -> stage -> the last message that told it."""
        self._tells: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        self.outbox: dict[str, Row] = {}
        self.guests: dict[int, dict[int, Row]] = defaultdict(dict)
        self.homes: dict[int, int] = {}
        """Village of every resident: whoever was taken off a list again was once on it."""
        self.launched: dict[int, str] = {}
        """When each campaign began, as a day of UTC [D]."""

    def apply(self, table: str, key: str, row: Row) -> None:
        """A row was written."""
        if table == "residents":
            self.status[int(key)] = row["status"]
        elif table == "mentions":
            matter = row["kind"], row["subject_id"], row["worker_id"]
            self.told[matter][row["stage"]] = row["message_key"]
            self._tells[row["message_key"]].append(matter)
        elif table == "outbox":
            self.outbox[row["dedup_key"]] = row
        elif table == "records":
            self.records[int(key)] = row
            if row["resident_id"] is not None:
                self.services[row["resident_id"]][key] = row
            elif row["service"] == "progress_report":
                self.progress[row["answers"]["milestone"], row["village_id"]][int(key)] = row
        elif table == "channel_accounts":
            self.heard_in[row["worker_id"]][key] = row
        elif table == "campaign_residents":
            self.guests[row["campaign_id"]][row["resident_id"]] = row
        elif table in BY_VILLAGE:
            if (before := self.rows[table].get(key)) is not None and before["village_id"] != row["village_id"]:
                del self.by_village[table][before["village_id"]][key]
            self.by_village[table][row["village_id"]][key] = row
            if table == "agreements":
                self.signed[row["resident_id"]][key] = row
            self.rows[table][key] = row
        else:
            self.rows[table][key] = row

    def below(self, worker: Worker) -> list[int]:
        """The villages somebody answers for."""
        if worker.id not in self._below:
            below = [place for place, path in self.places.items() if path.startswith(worker.place)]
            self._below[worker.id] = list(worker.villages) if worker.role == "doctor" else below
        return self._below[worker.id]

    def wishes(self, worker: Worker) -> Mapping[str, Any]:
        """What they set for themselves: an hour of the morning, and what they do not want to hear."""
        row = self.rows["health_workers"].get(str(worker.id), {})
        found: Mapping[str, Any] = row.get("settings", {}).get("reminders", {})
        return found

    # --- reasons ---

    def reasons(self, reminder: str, worker: Worker, day: date, but: str = "", *, saying: bool = False) -> Reasons:
        """Why something is said to a worker on a day; `but` is the message that says it, or is `saying` it just now."""
        found = Reasons()
        matters: Iterable[Matter]
        if reminder in CAMPAIGNS:
            matters = campaigns_to_speak_of(self, reminder, worker, day, saying)
        elif reminder in OF_OFFICES:
            found.open, matters = (
                set(open_in_offices(self, reminder, worker, day, saying)),
                once_in_offices(self, reminder, worker, day),
            )
        elif reminder == "morning_digest":
            found.visits = self._visits(worker, day)
            found.open = {("referrals", one) for one in self._referrals(worker, day)}
            found.open |= {("appointments", one) for one in appointments(self, worker, day)}
            matters = [*positives(self, worker, day), *self._of_a_doctor(worker, day)]
        elif not is_working_day(day):
            return found
        elif reminder == "township_digest":
            matters = self._of_a_township(worker, day)
        else:
            matters = self._overdue(worker, day, COUNTY_DAYS, "escalated_county")
        found.once = {
            (what, row): stage for what, row, stage in matters if not self._heard(what, worker, row, stage, but)
        }
        return found

    def _heard(self, what: str, worker: Worker, row: int, stage: str, but: str) -> bool:
        """A message that ended unsent told nothing."""
        message = self.told.get((what, row, worker.id), {}).get(stage, but)
        return message != but and self.outbox.get(message, {}).get("status") not in UNHEARD

    def worded_anew(self, message: str) -> None:
        """What it was going to tell before, it may tell no longer."""
        for matter in self._tells.pop(message, ()):
            stages = self.told[matter]
            self.told[matter] = {stage: by for stage, by in stages.items() if by != message}

    def _open(self, worker: Worker, last: str, today: str) -> Iterator[tuple[str, Row]]:
        """Visits due by a day that do not rest, of people who live here."""
        for village in self.below(worker):
            for key, row in self.by_village["enrolments"][village].items():
                if row["next_due_on"] is not None and row["next_due_on"] <= last and self._goes_on(row, today):
                    yield key, row

    def owed_first_visits(self, due: str) -> Iterator[tuple[str, Row]]:
        """First home visits within 72 hours, whose last day it is."""
        for key, row in self.rows["enrolments"].items():
            owed = row["next_service"] == "tb_first_visit" and row["next_due_on"] == due
            if owed and row["ended_on"] is None and self._lives_here(row):
                yield key, row

    def unconfirmed_emergencies(self, sent: str) -> Iterator[tuple[str, Row]]:
        """Emergencies sent to hospital on a day, of whom nobody has said that they arrived."""
        for key, row in self.rows["referrals"].items():
            waits = row["closed_at"] is None and row["direction"] == "up" and not row["arrived"]
            if waits and row["urgency"] == "emergency" and row["sent_on"] == sent and self._lives_here(row):
                yield key, row

    def listeners(self, village: int, role: str) -> list[Worker]:
        """Who answers for a village."""
        if role == "doctor":
            return [w for w in self.workers.values() if w.role == role and village in w.villages]
        path = self.places[village]
        return [w for w in self.workers.values() if w.role == role and path.startswith(w.place)]

    def lives_here(self, resident: int) -> bool:
        return self.status.get(resident, "active") in HERE

    def _goes_on(self, row: Row, today: str) -> bool:
        rests = row["snoozed_until"] is not None and row["snoozed_until"] > today
        return row["ended_on"] is None and not rests and self._lives_here(row)

    def _lives_here(self, row: Row) -> bool:
        return self.lives_here(row["resident_id"])

    def _visits(self, worker: Worker, day: date) -> set[int]:
        today, rests = day.isoformat(), is_holiday(day) or "visits" in self.wishes(worker).get("off", ())
        due = (row for _, row in self._open(worker, today, today))
        return {row["resident_id"] for row in due if not rests or row["urgency"] in PRESSING}

    def _referrals(self, worker: Worker, day: date) -> set[int]:
        today = day.isoformat()
        return {
            int(key)
            for village in self.below(worker)
            for key, row in self.by_village["referrals"][village].items()
            if row["closed_at"] is None
            and row["ask_on"] <= today
            and self._lives_here(row)
            and not self._seen_since(row)
        }

    def _seen_since(self, referral: Row) -> bool:
        """Sent back, and visited by somebody here since."""
        back = referral["returned_on"]
        return back is not None and any(
            r["on_day"] > back and r["mode"] in (1, 2) and r["status"] == "current"
            for r in self.services[referral["resident_id"]].values()
        )

    def _of_a_doctor(self, worker: Worker, day: date) -> Iterator[Matter]:
        if is_holiday(day):
            return
        off = self.wishes(worker).get("off", ())
        matters = [*self._windows(worker, day), *self._agreements(worker, day)]
        yield from (matter for matter in matters if matter[0] not in off)
        if "silent" not in off and self._is_silent(worker, day):
            yield "silent", worker.id, self._heard_on(worker)

    def _windows(self, worker: Worker, day: date) -> Iterator[Matter]:
        today, soon = day.isoformat(), (day + timedelta(days=7)).isoformat()
        for village in self.below(worker):
            for key, row in self.by_village["enrolments"][village].items():
                opens, due = row["due_from"], row["next_due_on"]
                if opens is not None and due is not None and opens <= today < due and self._goes_on(row, today):
                    yield "windows", int(key), ("close:" if due <= soon else "open:") + due

    def _agreements(self, worker: Worker, day: date) -> Iterator[Matter]:
        """That end in 60, 30 or 7 days; and those under which nothing was done for long."""
        today, steps = day.isoformat(), [(n, (day + timedelta(days=n)).isoformat()) for n in (7, 30, 60)]
        last = (day - timedelta(days=UNSERVED_DAYS)).isoformat()
        first = (day - timedelta(days=UNSERVED_DAYS + UNSERVED_TOLD_WITHIN)).isoformat()
        for village in self.below(worker):
            for key, row in self.by_village["agreements"][village].items():
                ends_soon = today <= row["ends_on"] <= steps[-1][1]
                if not (ends_soon or first < row["starts_on"] <= last):
                    continue
                if row["status"] != "current" or not self._lives_here(row):
                    continue
                if ends_soon and row["ended_on"] is None and not self._renewed(row):
                    yield "agreements", int(key), next(str(n) for n, until in steps if row["ends_on"] <= until)
                holds = min(row["ends_on"], row["ended_on"] or row["ends_on"]) >= today
                if holds and first < row["starts_on"] <= last and not self._served(row):
                    yield "unserved", int(key), row["starts_on"]

    def _renewed(self, agreement: Row) -> bool:
        return any(
            r["status"] == "current" and r["ended_on"] is None and r["ends_on"] > agreement["ends_on"]
            for r in self.signed[agreement["resident_id"]].values()
        )

    def _served(self, agreement: Row) -> bool:
        return any(
            r["on_day"] >= agreement["starts_on"]
            and r["status"] == "current"
            and r["service"] not in NO_SERVICE
            and "not_seen" not in r["flags"]
            for r in self.services[agreement["resident_id"]].values()
        )

    def _heard_at(self, worker: Worker) -> str | None:
        return max((r["last_heard_at"] or r["bound_at"] for r in self.heard_in[worker.id].values()), default=None)

    def _heard_on(self, worker: Worker) -> str:
        return (self._heard_at(worker) or "")[:10]

    def _is_silent(self, worker: Worker, day: date) -> bool:
        """Not heard of for a week, while visits are overdue."""
        heard = self._heard_at(worker)
        if heard is None:
            return False
        since = datetime.combine(day + timedelta(days=1 - SILENT_DAYS), time(), CHINA).astimezone(UTC)
        if datetime.fromisoformat(heard).replace(tzinfo=UTC) > since:
            return False
        yesterday = (day - timedelta(days=1)).isoformat()
        return next(self._open(worker, yesterday, yesterday), None) is not None

    def _of_a_township(self, worker: Worker, day: date) -> Iterator[Matter]:
        yield from positives_township(self, worker, day)
        yield from self._overdue(worker, day, TOWNSHIP_DAYS, "escalated")
        long_ago = (day - timedelta(days=21)).isoformat()
        for village in self.below(worker):
            for key, row in self.by_village["referrals"][village].items():
                unconfirmed = row["closed_at"] is None and row["direction"] == "up" and not row["arrived"]
                if (
                    unconfirmed
                    and row["urgency"] != "emergency"
                    and row["sent_on"] <= long_ago
                    and self._lives_here(row)
                ):
                    yield "referrals_township", int(key), "unanswered" if row["arrived"] is None else "refused"
        for doctor in self.workers.values():
            if doctor.role == "doctor" and doctor.place.startswith(worker.place):
                if self._is_silent(doctor, day):
                    yield "silent_township", doctor.id, self._heard_on(doctor)
                if (since := self._cut_off(doctor)) is not None:
                    yield "unreachable", doctor.id, since[:10]

    def _cut_off(self, doctor: Worker) -> str | None:
        """Since when none of their accounts can be reached."""
        accounts = self.heard_in[doctor.id].values()
        if not accounts or any(r["unreachable_why"] is None for r in accounts):
            return None
        return max((r["unreachable_since"] for r in accounts if r.get("unreachable_since")), default=None)

    def _overdue(self, worker: Worker, day: date, days: int, what: str) -> Iterator[Matter]:
        last = (day - timedelta(days=days)).isoformat()
        for key, row in self._open(worker, last, day.isoformat()):
            yield what, int(key), row["next_due_on"]
