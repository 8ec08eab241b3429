"""What is said when something happens: an emergency is recorded, a campaign begins, moves or stops."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.bench import Bench
from tests.simulation.campaign_rules import carries_out
from tests.simulation.rules import Reasons, Row, Worker

CASE = "infectious_report"


class EventJudge:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._records: dict[str, Row] = {}
        """The key of its draft -> an urgent record as it stands."""
        self._alarms: dict[str, tuple[float, Worker]] = {}
        self._notices: dict[str, tuple[float, Worker]] = {}
        self._answers: dict[str, tuple[float, Worker]] = {}
        """Message to whoever reported a case -> when somebody confirmed it."""
        self._case_of: dict[str, Row] = {}
        """The key of its draft -> a report that was confirmed."""

    def moments(self) -> Iterator[tuple[float, int]]:
        return iter(())

    def look(self, at: float, which: int) -> None: ...

    def written(self, at: float, table: str, key: str, row: Row) -> None:
        if table == "records" and at >= 0:
            urgent = row["urgency"] == "emergency" or "tell_township" in row["flags"]
            if row["service"] == CASE or (urgent and row["resident_id"] is not None):
                self._urgent(at, row)
        elif table == "infectious_reports" and row["confirmed_at"] is not None:
            self._confirmed(at, row)
        elif table == "campaigns":
            self._edition(at, key, row)

    def _urgent(self, at: float, row: Row) -> None:
        """The township hears of it at once; the county where the township has nobody."""
        self._records[row["draft_key"]] = row
        if row["status"] == "current":
            told = self.bench.state.listeners(row["village_id"], "township")
            told = told or self.bench.state.listeners(row["village_id"], "county")
            for worker in told:
                self._alarms.setdefault(f"alarm:{row['draft_key']}:{worker.id}", (at, worker))

    def _edition(self, at: float, key: str, row: Row) -> None:
        """A new edition is told to everybody who carries it out."""
        before = self.bench.state.rows["campaigns"].get(key)
        if before is not None and row["edition"] != before["edition"]:
            told = [w for w in self.bench.state.workers.values() if carries_out(self.bench.state, row, w)]
            told = [w for w in told if w.id != row["worker_id"]]  # whoever did it knows
            self._notices |= {f"campaign:{key}:{row['edition']}:{w.id}": (at, w) for w in told}

    def about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        key = row["dedup_key"]
        if row["reminder"] == "urgent_result":
            self.bench.said[key] = at, Reasons(other=not self._is_withdrawn(key))
        elif row["reminder"] == "infectious_report":
            self.bench.said[key] = at, Reasons(other=not self._is_withdrawn(key) and not self._is_confirmed(key))
        elif row["reminder"] == "infectious_confirmed":
            record = self.bench.state.records[int(key.split(":")[1])]
            self.bench.said[key] = at, Reasons(other=record["status"] == "current")
        elif row["reminder"] in ("campaign_notice", "plan_notice"):
            self.bench.said[key] = at, Reasons(other=self._is_news(key, worker))

    def _confirmed(self, at: float, report: Row) -> None:
        """The doctor who reported it hears of it."""
        record = self.bench.state.records[report["record_id"]]
        self._case_of[record["draft_key"]] = report
        key = f"infectious_confirmed:{report['record_id']}"
        self._answers.setdefault(key, (at, self.bench.state.workers[record["worker_id"]]))

    def _is_confirmed(self, key: str) -> bool:
        return key.split(":")[1] in self._case_of

    def _is_withdrawn(self, key: str) -> bool:
        return bool(self._records[key.split(":")[1]]["status"] == "withdrawn")

    def _is_news(self, key: str, worker: Worker) -> bool:
        """As it stands now; and that it is off only to whoever had heard of it."""
        _, campaign, edition, _ = key.split(":")
        row = self.bench.state.rows["campaigns"][campaign]
        off = row["status"] == "stopped" or not carries_out(self.bench.state, row, worker)
        return int(edition) == row["edition"] and (not off or self._heard_of(campaign, int(edition), worker))

    def _heard_of(self, campaign: str, before: int, worker: Worker) -> bool:
        keys = (f"campaign:{campaign}:{edition}:{worker.id}" for edition in range(1, before))
        return any(self.bench.state.outbox.get(key, {}).get("status") == "sent" for key in keys)

    def over(self) -> None:
        for key, (at, worker) in self._alarms.items():
            self.bench.judged.looked_at["emergencies"] += 1
            row = self.bench.state.outbox.get(key)
            if row is None:
                self.bench.violated("an emergency was told to nobody", worker, at, key)
            elif (
                row["status"] not in ("sent", "failed") and not self._is_withdrawn(key) and not self._is_confirmed(key)
            ):
                self.bench.violated(f"an emergency is {row['status']}", worker, at, key)
        for key, (at, worker) in self._answers.items():
            self.bench.judged.looked_at["cases confirmed"] += 1
            if key not in self.bench.state.outbox:
                self.bench.violated("never told that the case is confirmed", worker, at, key)
        for key, (at, worker) in self._notices.items():
            self.bench.judged.looked_at["campaign notices"] += 1
            self._notice(key, at, worker)

    def _notice(self, key: str, at: float, worker: Worker) -> None:
        _, campaign, edition, _ = key.split(":")
        row, now = self.bench.state.outbox.get(key), self.bench.state.rows["campaigns"][campaign]
        stopped_unheard = now["status"] == "stopped" and not self._heard_of(campaign, int(edition), worker)
        pointless = int(edition) != now["edition"] or now["status"] == "closed" or stopped_unheard
        if row is None:
            self.bench.violated("never told of a campaign", worker, at, key)
        elif row["status"] == "cancelled" and not pointless:
            self.bench.violated(f"not told of a campaign ({row['reason']})", worker, at, key)
