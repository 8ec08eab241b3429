"""Reads and plays .timeline files: what stands in a small county, what happens when, and who hears what unasked.

Two villages of 托口镇 with their doctors, 李梅 (石桥村, whose residents are called as one likes) and 刘强 (岩头村, residents
`@岩头村`); 王主任 supervises the township, 陈科长 the county. Lines:

    zone Europe/Berlin                                  the county's time zone; operator {...} sets CUNYI_REMINDERS
    given 张桂兰 hypertension due 2026-11-25 [from DAY] [urgency WORD] [service CODE] [rests DAY] [@岩头村]
    agreement 张桂兰 DAY..DAY [p1,2] [g2,3]              with packages and groups · rules {...} are the county's
    referral 张桂兰 emergency|refer DAY · result 张桂兰 cervical DAY · appointment 张桂兰 DAY 量血压
    travels 张桂兰                                        their results so far are on a slip, and they were at the hospital
    report 张桂兰 AT AT                                  an infectious case noticed and due
    term 李梅 agreement_ends_on DAY · milestone 启动 DAY   of 托口镇's plan · campaign DAY[,DAY] [guests …]   in 托口镇
    @ 2026-11-25 07:30                                  time passes until then; the machine may have slept: `asleep`
    invited 张桂兰 · told 张桂兰 · visited 张桂兰 DAY · renewed 张桂兰 DAY · arrived 张桂兰 · died 张桂兰 · wrote 李梅 · confirmed 张桂兰
    set 李梅 at 08:00 · set 李梅 off agreements|- · set 托口镇 township_days 7
    platform down · platform up
    starts [skew SECONDS] · killed · asleep · awake · clock +3600
    李梅 hears *words* · 李梅 hears no *words* · 李梅 hears nothing · 李梅 hears 1 message · at 07:30 李梅 hears *words*

What is heard is what came since the last `@`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from bot.channels import ChannelUnavailable, Limits
from models.appointment import Appointment
from models.base import Store
from models.campaign import Campaign, CampaignResident, Milestone, ScreeningResult
from models.enrolment import Enrolment
from models.infectious import InfectiousReport
from models.message import OutgoingMessage
from models.people import ChannelAccount, HealthWorker, Organisation, Resident, Role
from models.preferences import set_for, set_own
from models.record import Agreement, Record, Referral
from models.referrals import ASK_AFTER
from tests.processes import Process, Seats
from tests.sending import Pretended
from tests.virtual_time import play as play_in_virtual_time

VILLAGES = {"石桥村": 3, "岩头村": 4}
WORKERS = {
    "李梅": (Role.DOCTOR, 3, [3]),
    "刘强": (Role.DOCTOR, 4, [4]),
    "王主任": (Role.TOWNSHIP, 2, []),
    "陈科长": (Role.COUNTY, 1, []),
}
UNLIMITED: dict[str, Any] = {}


@dataclass
class Phone(Pretended):
    """A channel that keeps what was said, and when."""

    now: Any
    name: str = "telegram"
    limits: Limits = field(default_factory=lambda: Limits(text=10_000, unit="characters", buttons=30, label=20))
    said: list[tuple[datetime, str, str]] = field(default_factory=list)
    is_down: bool = False

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        if self.is_down:
            raise ChannelUnavailable("no network")
        self.said.append((self.now(), account, message.text))
        return str(len(self.said))


def play(path: Path, store: Store) -> None:
    """Play a timeline; the first line that is not as written fails with what was heard instead."""
    play_in_virtual_time(Timeline(path, store).play())


class Timeline:
    """One story on one store."""

    def __init__(self, path: Path, store: Store) -> None:
        self.path, self.store = path, store
        self.tz = ZoneInfo("Asia/Shanghai")
        self.operator: dict[str, Any] = {}
        self.rules: dict[str, Any] = {}
        self.begins: datetime | None = None
        self.jump = timedelta()
        self.processes: list[Process] = []
        self.seats = Seats()
        self.awake = True
        self.phone = Phone(self.now)
        self.heard_from = 0

    # --- time ---

    def now(self) -> datetime:
        """True time."""
        assert self.begins is not None, "say `@ day time` first"
        return self.begins + timedelta(seconds=asyncio.get_running_loop().time())

    def _clock(self, skew: float) -> Any:
        return lambda: self.now() + self.jump + timedelta(seconds=skew)

    async def play(self) -> None:
        self._settle()
        for number, line in self._lines():
            verb, _, rest = line.partition(" ")
            try:
                await self._do(verb, rest.strip(), line)
            except AssertionError as error:
                raise AssertionError(f"{self.path.name}:{number}: {line}\n{error}") from None
        for process in self.processes:
            process.kill()
        await asyncio.sleep(0)

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.strip()

    async def _do(self, verb: str, rest: str, line: str) -> None:
        if match := re.fullmatch(r"(?:at (\S+) )?(\S+) hears (.*)", line):
            self._hears(*match.groups())
        elif verb == "@":
            await self._until(rest)
        elif verb == "platform":
            self.phone.is_down = rest == "down"
        elif verb in ("starts", "killed", "asleep", "awake", "clock"):
            await self._machine(verb, rest)
        else:
            with self.store.write() as session:
                getattr(self, f"_{verb}")(session, *rest.split())
                session.commit()

    async def _until(self, said: str) -> None:
        at = datetime.fromisoformat(said).replace(tzinfo=self.tz).astimezone(UTC)
        if self.begins is None:
            self.begins = at
        self.heard_from = len(self.phone.said)
        wait = (at - self.now()).total_seconds()
        assert wait >= 0, "time goes forward"
        await asyncio.sleep(wait)
        await asyncio.sleep(0.5)  # what is due at this very moment is on its way

    async def _machine(self, verb: str, rest: str) -> None:
        if verb == "starts":
            skew = float(rest.removeprefix("skew ") or 0)
            process = Process(
                self.store, {"telegram": self.phone}, self.seats, self._clock(skew), tz=self.tz,
                settings={"reminders": self.operator, **self.rules}, budgets=UNLIMITED, hours=(time(0, 5), time(7, 20)),
            )  # fmt: skip
            self.processes.append(process)
            await process.start()
        elif verb == "killed":
            for process in self.processes:
                process.kill()
            self.processes = []
        elif verb == "asleep":  # a machine that sleeps is one that is killed and remembers nothing it needs
            await self._machine("killed", "")
        elif verb == "awake":
            await self._machine("starts", "")
        else:
            self.jump += timedelta(seconds=float(rest))
            for process in self.processes:  # what reminders.scheduler does when it sees the clock jump
                process.plan_now()
            return  # what it says now is heard after the next `@`
        await asyncio.sleep(0.5)

    # --- who hears what ---

    def _hears(self, at: str | None, who: str, what: str) -> None:
        heard = [(t, text) for t, account, text in self.phone.said[self.heard_from :] if account == who]
        if at is not None:
            heard = [(t, text) for t, text in heard if f"{t.astimezone(self.tz):%H:%M}" == at]
        shown = "\n".join(f"{t.astimezone(self.tz):%m-%d %H:%M} {text}" for t, text in heard) or "nothing"
        lines = [line for _, text in heard for line in re.sub("[\ue000\ue001]", "", text).split("\n")]
        if what == "nothing":
            assert not heard, f"heard: {shown}"
        elif count := re.fullmatch(r"(\d+) messages?", what):
            assert len(heard) == int(count[1]), f"heard: {shown}"
        elif what.startswith("no "):
            assert not any(fnmatchcase(line, what[3:]) for line in lines), f"heard: {shown}"
        else:
            assert any(fnmatchcase(line, what) for line in lines), f"heard: {shown}"

    # --- what stands and what happens ---

    def _settle(self) -> None:
        with self.store.write() as session:
            session.add(Organisation(id=1, code="1", name="洪江市", level="county", path="/1/"))
            session.flush()
            session.add(Organisation(id=2, code="2", name="托口镇", level="township", parent_id=1, path="/1/2/"))
            session.flush()
            for name, key in VILLAGES.items():
                session.add(
                    Organisation(id=key, code=str(key), name=name, level="village", parent_id=2, path=f"/1/2/{key}/")
                )
            session.flush()
            for number, (name, (role, seat, villages)) in enumerate(WORKERS.items(), 1):
                session.add(
                    HealthWorker(
                        id=number, code=f"W{number}", name=name, role=role, organisation_id=seat, villages=villages
                    )
                )
                session.flush()
                bound = datetime(2026, 1, 1, tzinfo=UTC)
                heard = datetime(2100, 1, 1, tzinfo=UTC)  # nobody is silent unless the timeline says so
                account = {"channel": "telegram", "account": name, "worker_id": number}
                session.add(ChannelAccount(**account, bound_at=bound, last_heard_at=heard))
            session.commit()

    def _zone(self, session: Any, name: str) -> None:
        self.tz = ZoneInfo(name)

    def _operator(self, session: Any, *said: str) -> None:
        self.operator = json.loads(" ".join(said))

    def _rules(self, session: Any, *said: str) -> None:
        self.rules = json.loads(" ".join(said))
        cast(dict[str, Any], self.store.county).update(self.rules)

    def _served(self, session: Any, name: str, service: str, *marks: str) -> None:
        on = self.now().astimezone(self.tz).date()
        self._record(session, self._resident(session, name), service, on).marks = list(marks)

    def _resident(self, session: Any, name: str, village: str = "石桥村") -> Resident:
        found = session.scalar(select(Resident).where(Resident.name == name))
        if found is None:
            key = VILLAGES[village]
            doctor = next(n for n, (_, seat, _) in enumerate(WORKERS.values(), 1) if seat == key)
            found = Resident(name=name, sex="female", born_on=date(1955, 1, 1), village_id=key, worker_id=doctor)
            session.add(found)
            session.flush()
        return found

    def _record(self, session: Any, resident: Resident, service: str, on: date) -> Record:
        number = len(session.scalars(select(Record.id)).all())
        record = Record(
            draft_key=f"r{number}", service=service, resident_id=resident.id, worker_id=resident.worker_id,
            village_id=resident.village_id, on=on, channel="telegram", recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        session.add(record)
        session.flush()
        return record

    def _given(self, session: Any, name: str, programme: str, *rest: str) -> None:
        said = dict(zip(rest[::2], rest[1::2], strict=False)) if not rest[-1].startswith("@") else {}
        if rest[-1].startswith("@"):
            said = dict(zip(rest[:-1:2], rest[1:-1:2], strict=True))
        resident = self._resident(session, name, rest[-1][1:] if rest[-1].startswith("@") else "石桥村")
        day = {key: date.fromisoformat(said[key]) if key in said else None for key in ("due", "from", "rests")}
        session.add(
            Enrolment(
                resident_id=resident.id, village_id=resident.village_id, programme=programme, since=date(2026, 1, 1),
                next_due_on=day["due"], due_from=day["from"], snoozed_until=day["rests"],
                urgency=said.get("urgency", "routine"), next_service=said.get("service"),
            )
        )  # fmt: skip

    def _agreement(self, session: Any, name: str, term: str, *said: str) -> None:
        resident = self._resident(session, name)
        first, last = (date.fromisoformat(day) for day in term.split(".."))
        record = self._record(session, resident, "signing", first)
        has = {word[0]: [int(n) for n in word[1:].split(",")] for word in said}  # p1,2 are packages, g2 groups
        session.add(
            Agreement(
                packages=has.get("p", []), groups=has.get("g", []),
                record_id=record.id, resident_id=resident.id, village_id=resident.village_id,
                worker_id=resident.worker_id, starts_on=first, ends_on=last,
            )
        )  # fmt: skip

    _renewed = _agreement

    def _referral(self, session: Any, name: str, urgency: str, on: str) -> None:
        resident, day = self._resident(session, name), date.fromisoformat(on)
        record = self._record(session, resident, "hypertension_follow_up", day)
        session.add(
            Referral(
                record_id=record.id, resident_id=resident.id, village_id=resident.village_id,
                worker_id=resident.worker_id, urgency=urgency, reason="", sent_on=day, ask_on=day + ASK_AFTER[urgency],
            )
        )  # fmt: skip

    def _result(self, session: Any, name: str, test: str, on: str) -> None:
        resident, day = self._resident(session, name), date.fromisoformat(on)
        record = self._record(session, resident, "screening_result", day)
        session.add(
            ScreeningResult(
                record_id=record.id, resident_id=resident.id, village_id=resident.village_id,
                worker_id=resident.worker_id, test=test, result=3, on=day,
            )
        )  # fmt: skip

    def _travels(self, session: Any, name: str) -> None:
        """The results they have so far are on a slip for something else, and they have been to the hospital with it."""
        resident, on = self._resident(session, name), date(2026, 1, 5)
        record = self._record(session, resident, "referral_up", on)
        results = session.scalars(
            select(ScreeningResult.record_id).where(ScreeningResult.resident_id == resident.id)
        ).all()
        session.add(
            Referral(
                record_id=record.id, joined=list(results), resident_id=resident.id, village_id=resident.village_id,
                worker_id=resident.worker_id, urgency="refer", reason="", sent_on=on, ask_on=on, arrived=True, closed_at=datetime(2026, 1, 9, tzinfo=UTC),
                close_reason="returned",
            )
        )  # fmt: skip

    def _appointment(self, session: Any, name: str, on: str, what: str) -> None:
        resident, day = self._resident(session, name), date.fromisoformat(on)
        record = self._record(session, resident, "appointment", day)
        session.add(
            Appointment(
                record_id=record.id, resident_id=resident.id, village_id=resident.village_id,
                worker_id=resident.worker_id, on=day, what=what,
            )
        )  # fmt: skip

    def _report(self, session: Any, name: str, noticed: str, due: str) -> None:
        resident = self._resident(session, name)
        record = self._record(session, resident, "infectious_report", date.fromisoformat(noticed[:10]))
        at = [datetime.fromisoformat(word).replace(tzinfo=self.tz) for word in (noticed, due)]
        session.add(
            InfectiousReport(record_id=record.id, village_id=resident.village_id, noticed_at=at[0], due_at=at[1])
        )

    def _term(self, session: Any, name: str, code: str, day: str) -> None:
        worker = session.scalars(select(HealthWorker).where(HealthWorker.name == name)).one()
        worker.settings = {**worker.settings, code: day}

    def _launched(self, session: Any, kind: str, *days: str) -> Campaign:
        on = [date.fromisoformat(day) for day in days]
        campaign = Campaign(
            code=f"c{kind}", kind=kind, title="活动", organisation_id=2, areas=[2], days=list(days), starts_on=on[0],
            ends_on=on[-1], status="launched", launched_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        session.add(campaign)
        session.flush()
        return campaign

    def _milestone(self, session: Any, title: str, due: str) -> None:
        plan = self._launched(session, "other_plan", "2026-01-01", "2028-12-31")
        day = date.fromisoformat(due)
        session.add(Milestone(campaign_id=plan.id, position=1, title=title, due_on=day, organisations=[2]))

    def _campaign(self, session: Any, *days: str) -> None:
        self._launched(session, "two_cancers", *days).rule = {}

    def _invited(self, session: Any, name: str) -> None:
        resident, campaign = self._resident(session, name), session.scalars(select(Campaign)).one()
        session.add(CampaignResident(campaign_id=campaign.id, resident_id=resident.id))

    def _told(self, session: Any, name: str) -> None:
        whom = CampaignResident.resident_id == self._resident(session, name).id
        session.execute(update(CampaignResident).where(whom).values(told_on=self.now().astimezone(self.tz).date()))

    def _visited(self, session: Any, name: str, following: str) -> None:
        resident = self._resident(session, name)
        service = session.scalar(select(Enrolment.programme).where(Enrolment.resident_id == resident.id))
        self._record(session, resident, f"{service}_follow_up", self.now().astimezone(self.tz).date())
        due = date.fromisoformat(following)
        changed = {"next_due_on": due, "due_from": None, "next_service": None, "snoozed_until": None}
        session.execute(update(Enrolment).where(Enrolment.resident_id == resident.id).values(**changed))

    def _arrived(self, session: Any, name: str) -> None:
        of = self._resident(session, name).id
        at = {"arrived": True, "closed_at": self.now(), "close_reason": "arrived"}
        session.execute(update(Referral).where(Referral.resident_id == of).values(**at))
        on = self.now().astimezone(self.tz).date()
        session.execute(update(ScreeningResult).where(ScreeningResult.resident_id == of).values(arrived_on=on))

    def _confirmed(self, session: Any, name: str) -> None:
        session.execute(update(InfectiousReport).values(confirmed_at=self.now()))

    def _died(self, session: Any, name: str) -> None:
        self._resident(session, name).status = "died"

    def _wrote(self, session: Any, name: str, *at: str) -> None:
        heard = datetime.fromisoformat("T".join(at)).replace(tzinfo=self.tz) if at else self.now()
        session.execute(update(ChannelAccount).where(ChannelAccount.account == name).values(last_heard_at=heard))

    def _set(self, session: Any, name: str, what: str, value: str) -> None:
        if name in WORKERS:
            worker = session.scalars(select(HealthWorker).where(HealthWorker.name == name)).one()
            codes = [] if value == "-" else [value]
            set_own(session, worker, **{what: codes if what == "off" else value})
        else:
            area = session.scalars(select(Organisation).where(Organisation.name == name)).one()
            set_for(session, area, **{what: int(value)})
