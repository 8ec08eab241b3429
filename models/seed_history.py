"""A year of work in the synthetic county: follow-ups, elderly checks, agreements, referrals, outreach clinics. 示例记录

Class and control follow from the values as the norm has it; no protocol is asked, so no rule ids are claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count as numbers
from random import Random
from typing import Any

from models.seed_people import INTERVAL, TWO_WEEKS, Person
from models.seed_places import Row

YEAR = timedelta(days=365)
CLASSES = {1: "控制满意", 2: "控制不满意"}
STABLE = {2: "基本稳定", 3: "稳定"}
FOLLOWED = ("hypertension", "diabetes", "mental_health")
REFERRED, REFERRED_BACK = 2815 / 428_008, 406 / 428_008  # 上转, 下转 a year and resident (domain.md F1)
SIGNED_GROUPS = {
    1: "老年人",
    2: "高血压",
    3: "糖尿病",
    4: "孕产妇",
    5: "儿童",
    6: "残疾人",
    9: "脱贫人口",
    11: "慢阻肺",
}
"""人群类别 of an agreement, by code, that the register tells of."""
CHECKED = 0.65  # 65岁以上当年体检
CLINICS = 0.7  # 义诊 a year and village: 227 in 305 doctors' villages (F1)


class History:
    """Makes the past of one resident after another; keys run through the county."""

    def __init__(self, rng: Random, today: date) -> None:
        self._everybody, self.rng, self.today = rng, rng, today
        self.record_ids, self.agreement_ids = numbers(1), numbers(1)

    def of(self, person: Person, resident: Row, enrolments: list[Row]) -> tuple[list[Row], list[Row]]:
        """Records and agreements of one resident; the enrolments take class and urgency of their last visit."""
        if resident["registered_on"] is None or resident["status_on"] is not None:
            return [], []
        # the past of the cast depends on nobody else's: transcripts quote it
        self.rng = Random(person.name) if person.village else self._everybody
        records: list[Row] = []
        for enrolment in enrolments:
            if enrolment["programme"] in FOLLOWED:
                records += self._follow_ups(person, resident, enrolment)
            elif enrolment["programme"] == "maternal":
                records += self._antenatal(person, resident, enrolment)
        if person.age_on(self.today) >= 65 and self.rng.random() < CHECKED:
            records.append(self._elderly_check(person, resident))
        records += self._referrals(resident)
        agreements = []
        if person.signed:
            signing, agreement = self._signing(resident)
            records.append(signing)
            agreements.append(agreement)
        return records, agreements

    def events(self, village: Row, doctor_id: int) -> list[Row]:
        """Outreach clinics held in a village."""
        self.rng, records = self._everybody, []
        if self.rng.random() < CLINICS:
            people = self.rng.randint(8, 32)
            counted = {"outreach_attendances": people, "publicity_contacts": people, "outreach_people": people}
            answers = {"place": village["name"], "attendances": people, "people": people, "publicity_contacts": people}
            event = self._record("outreach_clinic", village["id"], doctor_id, self._day(), answers)
            records.append(event | {"counts": counted})
        return records

    def _follow_ups(self, person: Person, resident: Row, enrolment: Row) -> list[Row]:
        """Backwards from the due day: the last visit set it, and before that there was one every quarter of the year."""
        programme, due_on = enrolment["programme"], enrolment["next_due_on"]
        due_in = (due_on - self.today).days
        controlled = due_in >= TWO_WEEKS or self.rng.random() < 0.35 or programme == "mental_health"
        interval = INTERVAL[programme] if controlled else TWO_WEEKS
        visits: list[Row] = []
        for on in self._days_before(due_on, interval, enrolment["since"]):
            visit = self._follow_up(person, resident, programme, on, due_on, controlled)
            if not visits:
                labels = STABLE if programme == "mental_health" else CLASSES
                enrolment["classification"] = labels[visit["classification"]]
            visits.append(visit)
            due_on, controlled = on, self.rng.random() < 0.6
        return visits[::-1]

    def _days_before(self, due_on: date, interval: int, since: date) -> Iterator[date]:
        on = due_on - timedelta(days=interval)
        while on >= max(since, self.today - YEAR):
            if on < self.today:
                yield on
            on -= timedelta(days=92)

    def _follow_up(
        self, person: Person, resident: Row, programme: str, on: date, due_on: date, controlled: bool
    ) -> Row:
        mode = self.rng.choice((1, 1, 1, 1, 2, 2, 2, 2, 2, 3))
        answers: Row = {"mode": mode, "adherence": 1 if controlled else self.rng.choice((1, 2, 2, 3))}
        marks = ["assessed", *(["controlled"] if controlled else []), *(["standard_visit"] if mode != 3 else [])]
        if programme == "hypertension":
            answers |= self._pressure(person, on, controlled)
        elif programme == "diabetes":
            low, high = (4.6, 6.9) if controlled else (7.1, 12.0)
            answers["fasting_glucose"] = round(self.rng.uniform(low, high), 1)
        else:
            answers |= {"danger_level": 0, "sleep": 1, "appetite": 1}
        if mode == 3 and programme != "mental_health":  # nothing is measured over the telephone
            answers, marks = {"mode": mode, "adherence": answers["adherence"]}, []
        record = self._of_resident(f"{programme}_follow_up", resident, on, answers)
        classification = (3 if controlled else 2) if programme == "mental_health" else (1 if controlled else 2)
        return record | {
            "programme": programme,
            "mode": mode,
            "classification": classification,
            "next_due_on": due_on,
            "marks": marks,
        }

    def _pressure(self, person: Person, on: date, controlled: bool) -> Row:
        limit = 150 if person.age_on(on) >= 65 else 140
        low, high = (112, limit - 2) if controlled else (limit + 2, 174)
        diastolic = self.rng.randint(66, 88) if controlled else self.rng.randint(80, 106)
        return {
            "systolic": self.rng.randrange(low, high, 2),
            "diastolic": diastolic,
            "heart_rate": self.rng.randint(62, 88),
            "symptoms": [1],
        }

    def _antenatal(self, person: Person, resident: Row, enrolment: Row) -> list[Row]:
        """The first visit, which knows when the pregnancy began."""
        on = max(enrolment["since"], self.today - timedelta(days=28))
        began = self.today - timedelta(weeks=person.weeks)
        answers: Row = {
            "last_menstrual_period": began.isoformat(),
            "gestational_weeks": (on - began).days // 7,
            "systolic": 2 * self.rng.randint(52, 60),
            "diastolic": 2 * self.rng.randint(32, 39),
        }
        record = self._of_resident("antenatal_visit", resident, on, answers)
        return [record | {"programme": "maternal", "next_due_on": enrolment["next_due_on"]}] if on > began else []

    def _elderly_check(self, person: Person, resident: Row) -> Row:
        on = self._day(date(self.today.year, 1, 1))
        height, weight = self.rng.randint(148, 172), self.rng.randint(44, 76)
        answers = self._pressure(person, on, controlled=True) | {"height": height, "weight": weight}
        record = self._of_resident("elderly_check", resident, on, answers)
        return record | {"marks": ["person.people.elderly_check"]}

    def _referrals(self, resident: Row) -> list[Row]:
        chance = self.rng.random()
        if chance >= REFERRED + REFERRED_BACK:
            return []
        service = "referral_up" if chance < REFERRED else "referral_down"
        return [self._of_resident(service, resident, self._day(), {"referral_to": "市人民医院"})]

    def _signing(self, resident: Row) -> tuple[Row, Row]:
        """For a year from the day of signing; one in twenty ran out lately and was not signed again."""
        first = self.today - timedelta(days=self.rng.randrange(366, 420) if self.rng.random() < 0.05 else self._ago())
        last = date(first.year + 1, first.month, min(first.day, 28)) - timedelta(days=1)
        answers: Row = {"package": [1], "starts_on": first.isoformat(), "ends_on": last.isoformat()}
        signing = self._of_resident("signing", resident, first, answers)
        number = next(self.agreement_ids)
        agreement = {
            "id": number,
            "number": f"{resident['village_id']}-{first:%Y}-{number:05d}",
            "record_id": signing["id"],
            "resident_id": resident["id"],
            "village_id": resident["village_id"],
            "worker_id": resident["worker_id"],
            "packages": [1],
            "groups": [code for code, word in SIGNED_GROUPS.items() if word in resident["groups"]],
            "starts_on": first,
            "ends_on": last,
            "ended_on": None,
            "status": "current",
        }
        return signing, agreement

    def _day(self, first: date | None = None) -> date:
        """Some day of the last year, or since the day given; never today, which belongs to the demo."""
        days = (self.today - first).days if first else YEAR.days
        return self.today - timedelta(days=self.rng.randint(min(1, days), days))

    def _ago(self) -> int:
        return self.rng.randint(1, 360)

    def _of_resident(self, service: str, resident: Row, on: date, answers: Row) -> Row:
        record = self._record(service, resident["village_id"], resident["worker_id"], on, answers)
        return record | {"resident_id": resident["id"]}

    def _record(self, service: str, village_id: int, worker_id: int, on: date, answers: Row) -> Row:
        key = next(self.record_ids)
        row: dict[str, Any] = {
            "id": key,
            "draft_key": f"seed.{key}",
            "service": service,
            "programme": None,
            "resident_id": None,
            "worker_id": worker_id,
            "village_id": village_id,
            "on_day": on,
            "mode": None,
            "channel": "seed",
            "answers": answers,
            "classification": None,
            "urgency": "routine",
            "rules": [],
            "protocol_version": None,
            "next_due_on": None,
            "due_before": None,
            "referral": None,
            "marks": [],
            "counts": {},
            "status": "current",
            "corrects_id": None,
            "flags": ["synthetic"],
            "recorded_at": datetime.combine(on, time(8), UTC),  # four in the afternoon in Shanghai
        }
        return row
