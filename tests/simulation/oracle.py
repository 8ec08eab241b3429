"""Was every reminder that had to be intended, intended once, said for a reason, and not said without one?

It lives through the history of the rows once more, and asks of each moment what `rules` says should have been.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from tests.simulation.campaign_rules import CAMPAIGNS, carries_out
from tests.simulation.rules import CHINA, Reasons, Row, State, Worker, first_working_days, is_working_day

DIGESTS = {"morning_digest": ("doctor",), "township_digest": ("township",), "county_digest": ("county",)}
JUDGED = {**DIGESTS, **CAMPAIGNS}
MORNING = time(11, 30)
"""The latest hour that a worker may choose; what comes later in the day keeps its own."""
CLOCKS = (
    ("first_visit", "doctor", 1, "17:00", "0", 6), ("first_visit", "doctor", 0, "09:00", "1", 6),
    ("first_visit", "doctor", 0, "15:00", "2", 6), ("first_visit_missed", "township", -1, "08:00", "missed", 24),
    ("emergency_arrival", "township", -2, "08:00", "", 24),
)  # fmt: skip
"""Reminder, to whom, how many days before the last day (after the day it was sent), at what hour, its name, hours."""
EVENING = 20 * 3600.0 + 55 * 60
PERIODS = ("supervisor_weekly", "supervisor_monthly", "supervisor_quarterly")
PAGE = Path(__file__).parents[2] / "docs" / "timetable.md"
LEASE = timedelta(seconds=60)
SPARE = 3600.0  # seconds in which a message that is due could go out, had there been nothing in its way
DAY = 86400.0


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept: what, to whom, when."""

    what: str
    who: str
    when: str
    details: str = ""


@dataclass(frozen=True)
class Hours:
    """A line of the page's table: from when and until when it may be said on a day."""

    at: time
    last: time


@dataclass
class Ran:
    """What the log says of machines: planning, and the seconds in which nothing stood in a message's way."""

    planned: list[float]
    trouble: dict[str, list[tuple[float, float]]]
    """Channel, or "" for all of them -> times at which nothing could go out."""
    wrong_clock: list[tuple[float, float]]

    def planned_within(self, begins: float, ends: float) -> bool:
        return any(begins <= at <= ends and not _within(at, self.wrong_clock) for at in self.planned)

    def free(self, begins: float, ends: float, channels: Iterable[str]) -> float:
        """Seconds of a window in which a message to any of these channels could have gone out."""
        bad = [*self.trouble.get("", ()), *(t for channel in channels for t in self.trouble.get(channel, ()))]
        left, at = 0.0, begins
        for start, end in sorted(bad):
            if end > at:
                left += max(0.0, min(start, ends) - at)
                at = max(at, end)
        return left + max(0.0, ends - at)


def _within(at: float, times: Iterable[tuple[float, float]]) -> bool:
    return any(begins <= at < ends for begins, ends in times)


@dataclass
class Judged:
    """What was looked at, and what was found."""

    violations: list[Violation] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)


def hours_of_the_page() -> dict[str, Hours]:
    """Code -> hours, as whoever approves the timetable reads them."""
    found = {}
    for line in PAGE.read_text().split("## 按时限")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and re.fullmatch(r"\d\d:\d\d", cells[4]):
            found[cells[1]] = Hours(time.fromisoformat(cells[4]), time.fromisoformat(cells[5]))
    return found


class Oracle:
    """Judges the reminders of the timetable and the alarms. `first` is the first day of the simulation."""

    def __init__(self, database: sqlite3.Connection, first: date, days: int, ran: Ran) -> None:
        self.database, self.first, self.days, self.ran = database, first, days, ran
        self.begins = datetime.combine(first, time(), CHINA)
        places = dict(database.execute("SELECT id, path FROM organisations"))
        villages = [key for (key,) in database.execute("SELECT id FROM organisations WHERE level = 'village'")]
        rows = database.execute(
            "SELECT id, code, name, role, organisation_id, villages FROM health_workers WHERE active"
        )
        self.state = State(
            [Worker(i, code, name, role, places[seat], tuple(json.loads(v))) for i, code, name, role, seat, v in rows],
            places,
            villages,
        )
        invited = "SELECT id, village_id FROM residents WHERE id IN (SELECT resident_id FROM campaign_residents)"
        self.state.homes.update(database.execute(invited))
        launched = database.execute("SELECT id, launched_at FROM campaigns WHERE launched_at IS NOT NULL")
        self.state.launched.update((key, at[:10]) for key, at in launched)
        self.hours = hours_of_the_page()
        self.judged = Judged()
        self.final: dict[str, Row] = {}
        self.said: dict[str, tuple[float, Reasons | None]] = {}
        self.mentioned: dict[str, set[tuple[str, int, str]]] = defaultdict(set)
        self._waiting: dict[tuple[str, int, date], Reasons] = {}
        self._running: dict[tuple[str, date], dict[str, Worker]] = {}
        self._alarms: list[tuple[float, str, str]] = []
        self._notices: dict[str, tuple[float, Worker]] = {}

    # --- through the history ---

    def judge(self) -> Judged:
        moments = iter(sorted(self._moments(), key=lambda m: (m[0], m[4])))
        following = next(moments, None)
        for at, table, key, row in self._history():
            while following is not None and following[0] <= at:
                self._look(*following)
                following = next(moments, None)
            if table == "outbox":
                self._message(at, row)
            elif table == "mentions":
                self.mentioned[row["message_key"]].add((row["kind"], row["subject_id"], row["stage"]))
            elif table == "records" and at >= 0:
                self._record(at, row)
            elif table == "campaigns":
                self._campaign(at, key, row)
            self.state.apply(table, key, row)
        while following is not None:
            self._look(*following)
            following = next(moments, None)
        self.final = self.state.outbox
        self._periods()
        self._due_alarms()
        self._due_notices()
        self._contents()
        return self.judged

    def _history(self) -> Iterator[tuple[float, str, str, Row]]:
        for at, table, key, data in self.database.execute("SELECT at, tab, row_key, data FROM sim_history ORDER BY id"):
            yield at, table, str(key), json.loads(data)

    def _moments(self) -> Iterator[tuple[float, str, date, time, bool]]:
        """When each window begins and ends; of what comes in the morning for each hour that somebody chose."""
        chosen = {time.fromisoformat(at) for at in self._chosen_hours()}
        for number in range(self.days):
            midnight, day = number * DAY, self._day(number)
            for code in JUDGED:
                usual = self.hours[code]
                for at in {usual.at, *(chosen if usual.at <= MORNING else ())}:
                    ends = _seconds(at) + _seconds(usual.last) - _seconds(usual.at)
                    yield midnight + _seconds(at), code, day, at, True
                    yield midnight + min(ends, EVENING) - 60, code, day, at, False
            for code, _, _, hour, name, lasts in CLOCKS:
                at = time.fromisoformat(hour)
                yield midnight + _seconds(at), f"{code} {name}", day, at, True
                yield midnight + min(_seconds(at) + lasts * 3600, EVENING) - 60, f"{code} {name}", day, at, False

    def _chosen_hours(self) -> set[str]:
        query = "SELECT DISTINCT json_extract(settings, '$.reminders.at') FROM health_workers"
        return {at for (at,) in self.database.execute(query) if at is not None}

    def _day(self, number: int) -> date:
        return self.first + timedelta(days=number)

    def _number(self, day: date) -> int:
        return (day - self.first).days

    # --- what must be ---

    def _look(self, at: float, code: str, day: date, hour: time, begins: bool) -> None:
        """Who had a reason when the window began, and has it still when it ends, must have been told."""
        if " " in code:
            self._look_at_clock(at, code, day, hour, begins)
            return
        for worker in self.state.workers.values():
            if worker.role not in JUDGED[code] or self._hour(worker, code) != hour:
                continue
            key = f"{code}:{worker.id}:{day}"
            if begins:
                self._waiting[code, worker.id, day] = self.state.reasons(code, worker, day, key)
            elif (before := self._waiting.pop((code, worker.id, day), None)) and before.lasting(
                self.state.reasons(code, worker, day, key)
            ):
                self._must_be(worker, key, self._number(day) * DAY + _seconds(hour), at)

    def _hour(self, worker: Worker, code: str) -> time:
        usual, wish = self.hours[code].at, self.state.wishes(worker).get("at")
        return time.fromisoformat(wish) if wish and usual <= MORNING else usual

    def _look_at_clock(self, at: float, code: str, day: date, hour: time, begins: bool) -> None:
        owed = self._owed(code, day)
        if begins:
            self._running[code, day] = owed
            return
        for key in owed.keys() & self._running.pop((code, day), {}).keys():
            self._must_be(owed[key], key, self._number(day) * DAY + _seconds(hour), at)

    def _owed(self, code: str, day: date) -> dict[str, Worker]:
        """Key of the message -> whom to tell, of a clock that runs out on a day."""
        reminder, _, name = code.partition(" ")
        role, before = next((c[1], c[2]) for c in CLOCKS if (c[0], c[4]) == (reminder, name))
        on = (day + timedelta(days=before)).isoformat()
        if reminder == "emergency_arrival":
            matters = [(key, row) for key, row in self.state.unconfirmed_emergencies(on)]
        else:
            matters = [(f"{key}.{on}.{name}", row) for key, row in self.state.owed_first_visits(on)]
        return {
            f"{reminder}:{worker.id}:{subject}": worker
            for subject, row in matters
            for worker in self.state.listeners(row["village_id"], role)
        }

    def _must_be(self, worker: Worker, key: str, begins: float, ends: float) -> None:
        self.judged.looked_at[f"had to be said: {key.split(':')[0]}"] += 1
        row = self.state.outbox.get(key)
        if row is None:
            if self.ran.planned_within(begins, ends):
                self._violated("never planned", worker, begins, key)
            else:
                self.judged.excused["nobody planned within the window"] += 1
        elif row["status"] == "cancelled" and "window" in (row["reason"] or ""):
            self._late(worker, key, begins, ends)
        elif row["status"] == "cancelled":
            self._violated(f"cancelled ({row['reason']}), though there was a reason", worker, begins, key)
        elif row["status"] == "failed":
            self.judged.excused[f"failed: {(row['reason'] or '')[:40]}"] += 1

    def _late(self, worker: Worker, key: str, begins: float, ends: float) -> None:
        channels = {row["channel"] for row in self.state.heard_in[worker.id].values()}
        if self.ran.free(begins, ends, channels) > SPARE:
            self._violated("its window passed, though it could have been sent", worker, begins, key)
        else:
            self.judged.excused["its window passed: no process, no platform or no budget"] += 1

    def _periods(self) -> None:
        """Every supervisor hears of every week, month and quarter once, on one of its first working days."""
        for code in PERIODS:
            for begins in sorted({_period(code, self._day(n)) for n in range(self.days)}):
                chances = [day for day in first_working_days(begins) if 0 <= self._number(day) < self.days]
                windows = [
                    (
                        self._number(d) * DAY + _seconds(self.hours[code].at),
                        self._number(d) * DAY + _seconds(self.hours[code].last),
                    )
                    for d in chances
                ]
                for worker in self.state.workers.values():
                    if worker.role in ("township", "county") and chances:
                        self._period(code, worker, begins, windows)

    def _period(self, code: str, worker: Worker, begins: date, windows: Sequence[tuple[float, float]]) -> None:
        key = f"{code}:{worker.id}:{begins}"
        self.judged.looked_at[f"had to be said: {code}"] += 1
        row = self.final.get(key)
        planned = [window for window in windows if self.ran.planned_within(*window)]
        if row is None and planned:
            self._violated("never planned", worker, windows[0][0], key)
        elif row is not None and row["status"] == "cancelled":
            self._late(worker, key, *windows[-1])

    # --- what may be ---

    def _message(self, at: float, row: Row) -> None:
        """A row of the outbox is about to become `row`."""
        before = self.state.outbox.get(row["dedup_key"])
        code, worker = row["reminder"], self.state.workers.get(row["worker_id"])
        if worker is None:
            return
        if before is None:
            self.judged.looked_at["planned"] += 1
        if (
            code in JUDGED
            and code != "campaign_to_tell"
            and (before is None or (before["status"] == "cancelled" and row["status"] == "queued"))
        ):
            day = _local(row["planned_at"]).date()
            if not self.state.reasons(code, worker, day, row["dedup_key"]):
                self._violated("planned without a reason", worker, at, row["dedup_key"])
        if row["leased_until"] is not None and row["leased_until"] != (before or {}).get("leased_until"):
            self._about_to_say(at, row, worker)
        gone = (
            row["status"] == "cancelled" and (before or {}).get("status") == "leased" and "window" not in row["reason"]
        )
        if gone and code in JUDGED and self.said.get(row["dedup_key"], (at, None))[1]:
            self._violated(f"cancelled ({row['reason']}) with a reason", worker, at, row["dedup_key"])

    def _about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        """It is rendered as the rows are now, for the day that the machine's clock shows."""
        day = (_local(row["leased_until"]) - LEASE).date()
        code, key = row["reminder"], row["dedup_key"]
        self.mentioned.pop(key, None)
        if code in JUDGED:
            self.said[key] = at, self.state.reasons(code, worker, day, key, saying=True)
        elif code in ("first_visit", "first_visit_missed", "emergency_arrival"):
            self._clock_about_to_say(at, code, key, worker)
        elif code == "urgent_result":
            stands = self.state.rows["drafts"][key.split(":")[1]]["status"] != "withdrawn"
            self.said[key] = at, Reasons(referrals={1}) if stands else Reasons()
        elif code == "campaign_notice":
            self.said[key] = at, Reasons(campaigns={1}) if self._is_news(key, worker) else Reasons()
        elif code in PERIODS:
            begins = date.fromisoformat(key.rsplit(":", 1)[1])
            self.said[key] = at, None
            if day not in first_working_days(begins):
                self._violated("not on one of the first working days", worker, at, key)

    def _clock_about_to_say(self, at: float, code: str, key: str, worker: Worker) -> None:
        """Whatever day it is by now: is it owed still?"""
        subject = key.split(":")[2]
        if code == "emergency_arrival":
            owed = subject in dict(self.state.unconfirmed_emergencies(self.state.rows["referrals"][subject]["sent_on"]))
        else:
            owed = subject.split(".")[0] in dict(self.state.owed_first_visits(subject.split(".")[1]))
        self.said[key] = at, Reasons(referrals={1}) if owed else Reasons()

    def _contents(self) -> None:
        """What was sent had a reason, and names those whose reason it was and nobody else."""
        sent = self.database.execute(
            "SELECT dedup_key, message FROM outbox WHERE status = 'sent' AND reminder IS NOT NULL"
        )
        for key, message in sent:
            row = self.final[key]
            if key not in self.said or self.said[key][1] is None:
                self.judged.looked_at[f"sent, reason not judged: {row['reminder']}"] += 1
                continue
            at, why = self.said[key]
            worker = self.state.workers[row["worker_id"]]
            self.judged.looked_at["sent, reason judged"] += 1
            if not why:
                self._violated("sent without a reason", worker, at, key)
                continue
            if row["reminder"] not in JUDGED:
                continue
            told = {(kind, subject): stage for kind, subject, stage in self.mentioned[key]}
            if told != why.once:
                odd = sorted(map(str, told.items() ^ why.once.items()))[:3]
                self._violated("tells other matters than it has to", worker, at, key, f"{odd}")
            if row["reminder"] == "morning_digest":
                self._worklist(json.loads(message), why, worker, at, key)

    def _worklist(self, message: dict[str, Any], why: Reasons, worker: Worker, at: float, key: str) -> None:
        said = re.search(r"今天有(\d+)位(要访|急需随访)", message["text"])
        if (int(said[1]) if said else 0) != len(why.visits):
            self._violated(f"says {said[1] if said else 'no'} visits", worker, at, key, f"not {len(why.visits)}")
        windows = {subject for kind, subject in why.once if kind == "windows"}
        named = {self.state.rows["enrolments"][str(subject)]["resident_id"] for subject in windows} | why.visits
        shown = {int(c[0].removeprefix("visit.")) for c in message.get("choices", ()) if c[0].startswith("visit.")}
        if shown - named:
            self._violated("names somebody who is not due", worker, at, key, f"residents {sorted(shown - named)}")

    # --- alarms ---

    def _record(self, at: float, row: Row) -> None:
        """An emergency is told to the township at once."""
        if row["resident_id"] is None or row["urgency"] != "emergency":
            return
        self.state.rows["drafts"][row["draft_key"]] = row
        if row["status"] != "current":
            return
        path = self.state.places.get(row["village_id"], "")
        for role in ("township", "county"):
            above = [w for w in self.state.workers.values() if w.role == role and path.startswith(w.place)]
            if above:
                self._alarms += [(at, f"alarm:{row['draft_key']}:{w.id}", w.name) for w in above]
                return

    def _due_alarms(self) -> None:
        for at, key, name in dict.fromkeys(self._alarms):
            self.judged.looked_at["emergencies"] += 1
            row = self.final.get(key)
            if row is None:
                self.judged.violations.append(Violation("an emergency was told to nobody", name, self._when(at), key))
            elif row["status"] not in ("sent", "failed") and not self._was_withdrawn(key):
                self.judged.violations.append(Violation(f"an emergency is {row['status']}", name, self._when(at), key))

    def _was_withdrawn(self, key: str) -> bool:
        draft = key.split(":")[1]
        return any(
            row["draft_key"] == draft and row["status"] == "withdrawn" for row in self.state.rows["drafts"].values()
        )

    # --- campaigns ---

    def _campaign(self, at: float, key: str, row: Row) -> None:
        """A new edition is told to everybody it concerns: who carries it out, and those it is taken away from."""
        before = self.state.rows["campaigns"].get(key)
        if before is not None and row["edition"] != before["edition"]:
            told = [w for w in self.state.workers.values() if carries_out(self.state, row, w)]
            self._notices |= {f"campaign:{key}:{row['edition']}:{w.id}": (at, w) for w in told}

    def _is_news(self, key: str, worker: Worker) -> bool:
        """As it stands now; and that it is off only to whoever had heard of it."""
        _, campaign, edition, _ = key.split(":")
        row = self.state.rows["campaigns"][campaign]
        off = row["status"] == "stopped" or not carries_out(self.state, row, worker)
        return int(edition) == row["edition"] and (not off or self._heard_of(campaign, int(edition), worker))

    def _heard_of(self, campaign: str, before: int, worker: Worker) -> bool:
        keys = (f"campaign:{campaign}:{edition}:{worker.id}" for edition in range(1, before))
        return any(self.state.outbox.get(key, {}).get("status") == "sent" for key in keys)

    def _due_notices(self) -> None:
        for key, (at, worker) in self._notices.items():
            self.judged.looked_at["campaign notices"] += 1
            _, campaign, edition, _ = key.split(":")
            row, now = self.final.get(key), self.state.rows["campaigns"][campaign]
            is_last = int(edition) == now["edition"]
            heard = self._heard_of(campaign, int(edition), worker)
            pointless = not is_last or now["status"] == "closed" or (now["status"] == "stopped" and not heard)
            if row is None:
                self._violated("never told of a campaign", worker, at, key)
            elif row["status"] == "cancelled" and not pointless:
                self._violated(f"not told of a campaign ({row['reason']})", worker, at, key)

    def _violated(self, what: str, worker: Worker, at: float, key: str, details: str = "") -> None:
        who = f"{worker.code} ({worker.role})"
        self.judged.violations.append(Violation(what, who, self._when(at), f"{key} {details}".strip()))

    def _when(self, at: float) -> str:
        return f"{self.begins + timedelta(seconds=at):%Y-%m-%d %H:%M:%S}"


def _seconds(at: time) -> float:
    return at.hour * 3600.0 + at.minute * 60


def _local(stored: str) -> datetime:
    """An instant as SQLite keeps it, on the county's clocks."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).astimezone(CHINA)


def _period(code: str, day: date) -> date:
    if code == "supervisor_weekly":
        return day - timedelta(days=day.weekday())
    if code == "supervisor_monthly":
        return day.replace(day=1)
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


__all__ = ["Judged", "Oracle", "Ran", "Violation", "hours_of_the_page", "is_working_day"]
