"""What everybody does on a day, drawn at its midnight from who is due: a list that a restarted world reads again."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import or_, select

from handlers.absence import AWAY, DIED, MOVED, REFUSED
from models.base import Store
from models.enrolment import Enrolment, open_until
from models.people import Resident, Status
from models.record import Agreement, Record, Referral
from models.referrals import stage
from tests.simulation.county import ACTED_ON, Config, Doctor
from tests.simulation.day import Action, Day
from tests.simulation.errands import TAKEN_BACK, errands
from tests.simulation.offices import offices

NOTICES = 0.002  # tuberculosis notices a doctor and day
MOST_VISITS = 5  # that one doctor makes on a day
AHEAD = timedelta(days=3)
FIRST_VISIT: dict[str, Any] = {
    "mode": 2, "patient_type": 1, "sputum": 1, "resistance": 2, "symptoms": [0], "regimen": "2HRZE/4HR", "regimen_use": 1,
    "dosage_forms": [3], "supervisor": 2, "separate_room": 1, "ventilation": 1,
}  # fmt: skip


def actions_of(config: Config, store: Store, folder: Path, number: int) -> list[Action]:
    """The day's, as they were drawn once."""
    path = folder / f"day-{number:03}.json"
    if not path.exists():
        with store.read() as session:
            day = Day(config, session, number)
            drawn = [*Visits(day).everything(), *errands(day), *offices(day)]
        drawn.sort(key=lambda action: action["at"])
        named = [action | {"id": f"{number}.{n}"} for n, action in enumerate(drawn)]
        path.with_suffix(".new").write_text(json.dumps(named, ensure_ascii=False))
        path.with_suffix(".new").rename(path)
    read: list[Action] = json.loads(path.read_text())
    return read


class Visits:
    """Who is due is visited, signed, asked after; some by mistake."""

    def __init__(self, day: Day) -> None:
        self.day, self.session, self.today = day, day.session, day.today
        self.doctors, self.doctor_of = day.doctors, day.doctor_of
        self.rng: Random

    def everything(self) -> list[Action]:
        due = self._due()
        signed, referred = self._ending(), self._referrals()
        found: list[Action] = []
        for person in self.doctors.values():
            self.rng = self.day.rng("day", person.worker_id)
            works = person.works(self.day.number)
            if not person.accounts or not works:
                continue
            chosen = [row for row in due[person.worker_id] if self.rng.random() < works][:MOST_VISITS]
            found += [self._visit(person, *row) for row in chosen]
            found += [self._signing(person, *row) for row in signed[person.worker_id] if self.rng.random() < 0.01]
            for referral_id, asks in referred[person.worker_id]:
                if self.rng.random() < works:
                    found += self._loop(person, referral_id, asks)
            found += self._talk(person)
            if self.rng.random() < NOTICES and due[person.worker_id]:
                resident = self.rng.choice(due[person.worker_id])[0]
                found.append(self.day.say(person, self.rng.uniform(7, 20), self.rng, chosen=f"notice.{resident}"))
        return found + self._first_visits() + self._withdrawals()

    # --- what there is to do ---

    def _due(self) -> dict[int, list[tuple[int, str, str]]]:
        """Doctor -> (resident, programme, urgency) of visits due in the next days, the most pressing first."""
        query = (
            select(Enrolment.village_id, Enrolment.resident_id, Enrolment.programme, Enrolment.urgency)
            .join(Resident, Resident.id == Enrolment.resident_id)
            .where(*open_until(self.today + AHEAD), Resident.status.in_((Status.ACTIVE, Status.ABSENT)))
            .where(Enrolment.programme.in_(ACTED_ON))
            .order_by(Enrolment.urgency != "emergency", Enrolment.next_due_on, Enrolment.id)
        )
        found = defaultdict(list)
        for village, resident, programme, urgency in self.session.execute(query):
            found[self.doctor_of[village]].append((resident, programme, urgency))
        return found

    def _ending(self) -> dict[int, list[tuple[int, date]]]:
        query = select(Agreement.village_id, Agreement.resident_id, Agreement.ends_on).where(
            Agreement.ends_on.between(self.today, self.today + timedelta(days=20)),
            Agreement.status == "current", Agreement.ended_on.is_(None),
        )  # fmt: skip
        found = defaultdict(list)
        for village, resident, ends_on in self.session.execute(query.order_by(Agreement.id)):
            found[self.doctor_of[village]].append((resident, ends_on))
        return found

    def _referrals(self) -> dict[int, list[tuple[int, str]]]:
        query = select(Referral).where(Referral.closed_at.is_(None), Referral.ask_on <= self.today)
        found = defaultdict(list)
        for referral in self.session.scalars(query.order_by(Referral.id)):
            found[self.doctor_of[referral.village_id]].append((referral.id, str(stage(referral))))
        return found

    def _first_visits(self) -> list[Action]:
        """Two of three doctors go within the 72 hours, and do not always meet anybody."""
        query = select(Enrolment.village_id, Enrolment.resident_id).where(
            Enrolment.next_service == "tb_first_visit", Enrolment.ended_on.is_(None)
        )
        found = []
        for village, resident in self.session.execute(query.order_by(Enrolment.id)).all():
            self.rng, who = self.day.rng("first", resident), self.doctors[self.doctor_of[village]]
            if who.accounts and self.rng.random() < 0.4:
                answers = FIRST_VISIT if self.rng.random() < 0.7 else {"outcome": AWAY}
                if answers is FIRST_VISIT:
                    answers = {**answers, "treatment_started_on": (self.today - timedelta(days=1)).isoformat()}
                found.append({
                    "do": "submit", "at": self.day.at(self.rng.uniform(7.5, 19)), "who": who.worker_id, "resident": resident,
                    "service": "tb_first_visit", "answers": answers,
                })  # fmt: skip
        return found

    def _withdrawals(self) -> list[Action]:
        """One visit in fifty turns out to have been another's."""
        since = self.today - timedelta(days=1)
        query = select(Record.id, Record.worker_id).where(
            Record.on >= since,
            Record.status == "current",
            or_(Record.programme.in_(ACTED_ON), Record.service.in_(TAKEN_BACK)),
        )
        found = []
        for record_id, worker_id in self.session.execute(query.order_by(Record.id)).all():
            rng = self.day.rng("withdrawn", record_id)
            if rng.random() < 0.02:
                found.append(
                    {"do": "withdraw", "at": self.day.at(rng.uniform(7.4, 20)), "who": worker_id, "record": record_id}
                )
        return found

    # --- how it is done ---

    def _visit(self, person: Doctor, resident_id: int, programme: str, urgency: str) -> Action:
        rng = self.rng
        at = rng.choices(
            (rng.uniform(7.4, 7.6), rng.uniform(8, 12), rng.uniform(14, 18.5), rng.uniform(21, 23.5)), (8, 62, 28, 2)
        )[0]
        outcome = rng.choices((None, AWAY, REFUSED, DIED, MOVED), (940, 40, 10, 5, 5))[0]
        answers: dict[str, Any] = {"mode": rng.choice((1, 2, 2, 3)), "adherence": 1}
        if outcome is not None:
            answers |= {"outcome": outcome}
        elif programme == "hypertension":
            answers |= self._pressure(urgency)
        elif programme == "diabetes":
            answers |= {
                "fasting_glucose": round(rng.choice((*[rng.uniform(4.8, 6.9)] * 6, rng.uniform(7.2, 12))), 1),
                "symptoms": [1],
            }
        elif programme == "mental_health":
            answers |= {"danger_level": 0, "symptoms": [12], "insight": 1, "sleep": 1, "appetite": 1}
        return {
            "do": "submit", "at": self.day.at(at), "who": person.worker_id, "service": f"{programme}_follow_up",
            "resident": resident_id, "answers": answers,
        }  # fmt: skip

    def _pressure(self, urgency: str) -> dict[str, Any]:
        level = self.rng.choices(("well", "high", "crisis"), (86, 13, 1))[0]
        low, high = {"well": (112, 138), "high": (152, 176), "crisis": (184, 210)}[level]
        return {
            "systolic": self.rng.randint(low, high), "diastolic": self.rng.randint(68, 88), "symptoms": [1],
            "heart_rate": self.rng.randint(60, 90), "danger_signs": ["none"],
        }  # fmt: skip

    def _signing(self, person: Doctor, resident_id: int, ends_on: date) -> Action:
        answers = {"package": [1], "term_years": 1, "starts_on": (ends_on + timedelta(days=1)).isoformat()}
        return {
            "do": "submit", "at": self.day.at(self.rng.uniform(8, 17)), "who": person.worker_id, "service": "signing",
            "resident": resident_id, "answers": answers,
        }  # fmt: skip

    def _loop(self, person: Doctor, referral_id: int, asks: str) -> list[Action]:
        """The doctor answers what was asked of a referral."""
        code = {"arrived": self.rng.choice(("yes", "yes", "no", "later")), "result": "write"}.get(asks, "yes")
        at = self.rng.uniform(7.4, 18)
        said: list[tuple[float, dict[str, Any]]] = [(at, {"chosen": f"loop.{referral_id}.{asks}.{code}"})]
        if code == "write":
            said.append((at + 0.02, {"text": "调整用药后好转"}))
        return [self.day.say(person, when, self.rng, **what) for when, what in said]

    def _talk(self, person: Doctor) -> list[Action]:
        if self.rng.random() > 0.25:
            return []
        return [
            self.day.say(
                person, self.rng.choice((self.rng.uniform(6.8, 9), self.rng.uniform(17, 22))), self.rng, text="今日"
            )
        ]
