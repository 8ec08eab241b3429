"""What is said at an hour of the day: digests, campaigns that come nearer, weeks, months and quarters."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import Any

from tests.simulation.bench import Bench, hours_of_the_page, local, seconds
from tests.simulation.campaign_rules import CAMPAIGNS
from tests.simulation.office_rules import DAILY, WEEKLY
from tests.simulation.rules import Reasons, Row, Worker
from tests.simulation.working_days import first_working_days

DIGESTS = {"morning_digest": ("doctor",), "township_digest": ("township",), "county_digest": ("county",)}
JUDGED = {**DIGESTS, **CAMPAIGNS, **DAILY, **WEEKLY}
PERIODS = ("supervisor_weekly", "supervisor_monthly", "supervisor_quarterly")
MORNING = time(11, 30)
"""The latest hour that a worker may choose; what comes later in the day keeps its own."""
EVENING = 20 * 3600.0 + 55 * 60
LEASE = timedelta(seconds=60)


class TimetableJudge:
    """Whoever has a reason when a window begins, and has it still when it ends, must have been told."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.hours = bench, hours_of_the_page()
        self.mentioned: dict[str, set[tuple[str, int, str]]] = defaultdict(set)
        """Message -> what was told in it when it was last rendered."""
        self._windows: list[tuple[str, date, time, bool]] = []
        self._waiting: dict[tuple[str, int, date], Reasons] = {}

    def moments(self) -> Iterator[tuple[float, int]]:
        """When each window begins and ends; of what comes in the morning for each hour that somebody chose."""
        query = "SELECT DISTINCT json_extract(settings, '$.reminders.at') FROM health_workers"
        chosen = {time.fromisoformat(at) for (at,) in self.bench.database.execute(query) if at is not None}
        for number in range(self.bench.days):
            day = self.bench.day(number)
            for code in JUDGED:
                usual = self.hours[code]
                for at in sorted({usual.at, *(chosen if usual.at <= MORNING else ())}):
                    ends = seconds(at) + seconds(usual.last) - seconds(usual.at)
                    for second, begins in ((seconds(at), True), (min(ends, EVENING) - 60, False)):
                        self._windows.append((code, day, at, begins))
                        yield self.bench.midnight(day) + second, len(self._windows) - 1

    def look(self, at: float, which: int) -> None:
        code, day, hour, begins = self._windows[which]
        for worker in self.bench.state.workers.values():
            if worker.role not in JUDGED[code] or self._hour(worker, code) != hour:
                continue
            key = _key(code, worker, day)
            if code in WEEKLY and not self._is_awaited(key, day):
                continue
            now = self.bench.state.reasons(code, worker, day, key)
            if begins:
                self._waiting[code, worker.id, day] = now
            elif (before := self._waiting.pop((code, worker.id, day), None)) and before.lasting(now):
                self.bench.must_be(worker, key, self.bench.midnight(day) + seconds(hour), at)

    def _is_awaited(self, key: str, day: date) -> bool:
        """Of what is said once a week: on its first working day, and on the next two if that could not be used."""
        first, *more = first_working_days(_period("supervisor_weekly", day))
        row = self.bench.state.outbox.get(key)
        return day == first or (day in more and (row is None or "window" in (row["reason"] or "")))

    def _hour(self, worker: Worker, code: str) -> time:
        usual, wish = self.hours[code].at, self.bench.state.wishes(worker).get("at")
        return time.fromisoformat(wish) if wish and usual <= MORNING else usual

    def written(self, at: float, table: str, key: str, row: Row) -> None:
        """Nothing is planned for somebody who has no reason to hear it."""
        if table == "mentions":
            self.mentioned[row["message_key"]].add((row["kind"], row["subject_id"], row["stage"]))
        if table != "outbox" or row["reminder"] not in JUDGED:
            return
        before, worker = self.bench.state.outbox.get(row["dedup_key"]), self.bench.state.workers[row["worker_id"]]
        again = before is not None and before["status"] == "cancelled" and row["status"] == "queued"
        day = local(row["planned_at"]).date()
        if (before is None or again) and not self.bench.state.reasons(row["reminder"], worker, day, row["dedup_key"]):
            self.bench.violated("planned without a reason", worker, at, row["dedup_key"])

    def about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        """For the day that the machine's clock shows."""
        day = (local(row["leased_until"]) - LEASE).date()
        code, key = row["reminder"], row["dedup_key"]
        self.mentioned.pop(key, None)
        if code in JUDGED:
            self.bench.said[key] = at, self.bench.state.reasons(code, worker, day, key, saying=True)
        elif code in PERIODS and day not in first_working_days(date.fromisoformat(key.rsplit(":", 1)[1])):
            self.bench.violated("not on one of the first working days", worker, at, key)

    def over(self) -> None:
        self._periods()
        self._contents()

    # --- weeks, months and quarters ---

    def _periods(self) -> None:
        """Every supervisor hears of every one once, on one of its first working days."""
        bench = self.bench
        for code in PERIODS:
            hours = self.hours[code]
            for begins in sorted({_period(code, bench.day(n)) for n in range(bench.days)}):
                lived = [bench.day(n) for n in range(bench.days) if _period(code, bench.day(n)) == begins]
                chances = [day for day in first_working_days(begins) if day in lived]  # a week may be all holidays
                windows = [
                    (bench.midnight(d) + seconds(hours.at), bench.midnight(d) + seconds(hours.last)) for d in chances
                ]
                for worker in bench.state.workers.values():
                    if worker.role in ("township", "county") and windows:
                        self._period(f"{code}:{worker.id}:{begins}", worker, windows)

    def _period(self, key: str, worker: Worker, windows: Sequence[tuple[float, float]]) -> None:
        self.bench.judged.looked_at[f"had to be said: {key.split(':')[0]}"] += 1
        row = self.bench.state.outbox.get(key)
        if row is None and any(self.bench.ran.planned_within(*window) for window in windows):
            self.bench.violated("never planned", worker, windows[0][0], key)
        elif row is not None and row["status"] == "cancelled":
            self.bench.late(worker, key, *windows[-1])

    # --- what was in it ---

    def _contents(self) -> None:
        """What was sent names those whose reason it was, and nobody else."""
        query = (
            "SELECT dedup_key, reminder, worker_id, message FROM outbox WHERE status = 'sent' AND reminder IS NOT NULL"
        )
        for key, code, worker_id, message in self.bench.database.execute(query):
            at, why = self.bench.said.get(key, (0.0, None))
            if code not in JUDGED or not why:
                continue
            worker = self.bench.state.workers[worker_id]
            told = {(kind, subject): stage for kind, subject, stage in self.mentioned[key]}
            if told != why.once:
                odd = sorted(map(str, told.items() ^ why.once.items()))[:3]
                self.bench.violated("tells other matters than it has to", worker, at, key, f"{odd}")
            if code == "morning_digest":
                self._worklist(json.loads(message), why, worker, at, key)

    def _worklist(self, message: dict[str, Any], why: Reasons, worker: Worker, at: float, key: str) -> None:
        said = re.search(r"今天有(\d+)位(要访|急需随访)", message["text"])
        if (int(said[1]) if said else 0) != len(why.visits):
            self.bench.violated(f"says {said[1] if said else 'no'} visits", worker, at, key, f"not {len(why.visits)}")
        windows = (str(subject) for kind, subject in why.once if kind == "windows")
        named = {self.bench.state.rows["enrolments"][subject]["resident_id"] for subject in windows} | why.visits
        shown = {int(c[0].removeprefix("visit.")) for c in message.get("choices", ()) if c[0].startswith("visit.")}
        if shown - named:
            self.bench.violated("names somebody who is not due", worker, at, key, f"residents {sorted(shown - named)}")


def _key(code: str, worker: Worker, day: date) -> str:
    return f"{code}:{worker.id}:{_period('supervisor_weekly', day) if code in WEEKLY else day}"


def _period(code: str, day: date) -> date:
    if code == "supervisor_weekly":
        return day - timedelta(days=day.weekday())
    if code == "supervisor_monthly":
        return day.replace(day=1)
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
