"""A synthetic county, the same for the same seed number: organisations, workers, residents, programmes. 示例县

Made for the demo, the tests and measurements, from a few hundred residents to a county's 428,000. Everything is invented.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import count as numbers
from math import ceil
from random import Random
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from models.base import Base
from models.bulk import insert_rows, restart_sequences
from models.effects import enrolment_effects, resident_effects
from models.enrolment import Enrolment
from models.people import STATUS_TITLES, HealthWorker, Level, Organisation, Resident, ResidentKey, Role, Status
from models.registry import keys_for, sealed
from models.seed_people import COUNTY, HOME_VILLAGES, TOWNSHIPS, IdentityNumbers, Person
from models.seed_people import cast, strangers, village_names, worker_name
from models.tally import Effects, count

REGISTERED = 0.9296  # 居民健康档案建档率 (domain.md F1)
CAMPAIGN_DAYS = 24  # on so many days the residents of a village were put on the register, village by village
DOCTORS_PER_TOWNSHIP = 11
GONE = ((Status.DIED, 0.006), (Status.MOVED, 0.006), (Status.ABSENT, 0.03))
TARGETS = {  # 应签约人数 of the county over its population (F1): the county's own denominators
    "signing_rate_general": 436_255 / 428_008,
    "signing_rate_key": 185_301 / 428_008,
    "signing_rate_poor": 48_118 / 428_008,
}


class NotEmpty(Exception):
    """数据库里已经有机构了。示例数据只能放进空的数据库,请换一个新的 CUNYI_DATABASE_URL。"""

    def __str__(self) -> str:
        return self.__doc__ or ""


def seed(
    session: Session, today: date, now: datetime, *, residents: int = 2000, doctors: int = 12, seed: int = 1
) -> None:
    """Fill an empty database. The caller commits; counters are right when that is done.

    Due days lie around `today`: some overdue, some today, the rest within the interval of their programme.
    """
    if session.scalar(select(Organisation.id).limit(1)) is not None:
        raise NotEmpty
    county = _County(session, today, now, Random(seed))
    county.build(max(doctors, 1))
    county.settle(max(residents, len(cast(today))))
    county.finish()


class _County:
    """The county while it is filled: the next keys, and where everything is."""

    def __init__(self, session: Session, today: date, now: datetime, rng: Random) -> None:
        self.session, self.connection, self.rng = session, session.connection(), rng
        self.today, self.now = today, now
        self.keyring = session.info["keyring"]
        self.organisations: list[dict[str, Any]] = []
        self.workers: list[dict[str, Any]] = []
        self.doctor_of: dict[int, int] = {}
        self.identities = IdentityNumbers(COUNTY[0])
        self.resident_ids, self.enrolment_ids = numbers(1), numbers(1)

    # --- organisations and workers ---

    def build(self, doctors: int) -> None:
        """The county, its townships with a supervisor each, and its villages with their doctors; 李梅 has three."""
        county = self._organisation(*COUNTY, Level.COUNTY, None)
        self._worker("A001", "管理员", Role.ADMIN, county)
        self._worker("C001", "陈科长", Role.COUNTY, county)
        names = iter(village_names(self.rng, 2 * doctors + len(HOME_VILLAGES)))
        wanted = min(max(3, ceil(doctors / DOCTORS_PER_TOWNSHIP)), len(TOWNSHIPS), doctors)
        townships = [
            self._organisation(f"{COUNTY[0]}{100 + i}", TOWNSHIPS[i], Level.TOWNSHIP, county) for i in range(wanted)
        ]
        for i, township in enumerate(townships):
            supervisor = "王主任" if i == 0 else self._new_name(chief=True)
            self._worker(f"S{i + 1:03d}", supervisor, Role.TOWNSHIP, township)
        for i in range(doctors):
            township = townships[i % wanted]
            own = HOME_VILLAGES if i == 0 else [next(names) for _ in range(2 if i % 5 == 0 else 1)]
            villages = [self._village(name, township) for name in own]
            self._doctor(f"V{i + 1:03d}", "李梅" if i == 0 else self._new_name(), villages)
        insert_rows(self.connection, _table(Organisation), self.organisations)
        insert_rows(self.connection, _table(HealthWorker), self.workers)

    def _organisation(self, code: str, name: str, level: Level, parent: dict[str, Any] | None) -> dict[str, Any]:
        key = len(self.organisations) + 1
        organisation = {
            "id": key,
            "code": code,
            "name": name,
            "level": level.value,
            "parent_id": parent["id"] if parent else None,
            "path": f"{parent['path'] if parent else '/'}{key}/",
            "population": None,
            "denominators": {},
        }
        self.organisations.append(organisation)
        return organisation

    def _village(self, name: str, township: dict[str, Any]) -> dict[str, Any]:
        place = sum(organisation["parent_id"] == township["id"] for organisation in self.organisations)
        return self._organisation(f"{township['code']}{200 + place}", name, Level.VILLAGE, township)

    def _doctor(self, code: str, name: str, villages: list[dict[str, Any]]) -> None:
        doctor = self._worker(code, name, Role.DOCTOR, villages[0], [village["id"] for village in villages])
        for village in villages:
            self.doctor_of[village["id"]] = doctor["id"]

    def _worker(
        self, code: str, name: str, role: Role, seat: dict[str, Any], villages: list[int] | None = None
    ) -> dict[str, Any]:
        worker = {
            "id": len(self.workers) + 1,
            "code": code,
            "name": name,
            "role": role.value,
            "organisation_id": seat["id"],
            "villages": villages or [],
            "phone_sealed": None,
            "active": True,
            "settings": {},
        }
        self.workers.append(worker)
        return worker

    def _new_name(self, *, chief: bool = False) -> str:
        """A name that no worker has yet; with a few hundred workers a free one is soon drawn."""
        taken = {worker["name"] for worker in self.workers}
        for _ in range(50):
            name = worker_name(self.rng)
            name = name[0] + "主任" if chief else name
            if name not in taken:
                break
        return name

    # --- residents ---

    def settle(self, residents: int) -> None:
        """People village by village, in one pass, so that a county's half a million need little memory."""
        villages = [organisation for organisation in self.organisations if organisation["level"] == Level.VILLAGE]
        members = {name: [person for person in cast(self.today) if person.village == name] for name in HOME_VILLAGES}
        weights = [self.rng.uniform(0.7, 1.3) for _ in villages]
        left, weight_left = residents - sum(map(len, members.values())), sum(weights)
        for village, weight in zip(villages, weights, strict=True):
            number = round(left * weight / weight_left)
            left, weight_left = left - number, weight_left - weight
            home = village["name"] in HOME_VILLAGES
            people = members.get(village["name"], []) + strangers(self.rng, self.today, number, near_cast=home)
            self._settle_village(village, people)

    def _settle_village(self, village: dict[str, Any], people: list[Person]) -> None:
        campaigns = sorted(self.today - timedelta(days=self.rng.randrange(30, 5000)) for _ in range(CAMPAIGN_DAYS))
        residents, keys, enrolments = [], [], []
        effects: Effects = Counter()
        for person in people:
            number = self.identities.next(person.born_on, person.female)
            resident = self._resident(person, number, village, campaigns)
            residents.append(resident)
            keys += [
                {"village_id": village["id"], "key": key, "resident_id": resident["id"]}
                for key in sorted(keys_for(self.keyring, person.name, number, person.householder))
            ]
            effects.update(resident_effects(Resident(**resident)))
            for enrolment in self._enrolments(person, resident, campaigns):
                enrolments.append(enrolment)
                effects.update(enrolment_effects(Enrolment(**enrolment)))
        insert_rows(self.connection, _table(Resident), residents)
        insert_rows(self.connection, _table(ResidentKey), keys)
        insert_rows(self.connection, _table(Enrolment), enrolments)
        count(self.session, effects)
        village["population"] = sum(resident["status"] in (Status.ACTIVE, Status.ABSENT) for resident in residents)

    def _resident(self, person: Person, number: str, village: dict[str, Any], campaigns: list[date]) -> dict[str, Any]:
        key = next(self.resident_ids)
        registered_on = self._registered_on(person, campaigns)
        status = Status.ACTIVE if person.village else self._fate()
        return {
            "id": key,
            "name": person.name,
            "sex": "female" if person.female else "male",
            "born_on": person.born_on,
            "village_id": village["id"],
            "village_group": person.group,
            "householder": person.householder,
            "worker_id": self.doctor_of[village["id"]],
            "groups": person.groups,
            "status": status.value,
            "status_on": None if status is Status.ACTIVE else self.today - timedelta(days=self.rng.randrange(5, 500)),
            "registered_on": registered_on,
            "registered_at": self.now if registered_on else None,
            **sealed(self.keyring, number, f"1990000{self.rng.randrange(10_000):04d}"),
        }

    def _registered_on(self, person: Person, campaigns: list[date]) -> date | None:
        """On one of the village's campaign days since birth; whoever is in a programme is registered."""
        if not (person.village or person.programmes or self.rng.random() < REGISTERED):
            return None
        return self.rng.choice(
            [on for on in campaigns if on >= person.born_on] or [max(person.born_on, self._newest())]
        )

    def _newest(self) -> date:
        return self.today - timedelta(days=3)

    def _fate(self) -> Status:
        chance = self.rng.random()
        for status, share in GONE:
            chance -= share
            if chance < 0:
                return status
        return Status.ACTIVE

    def _enrolments(self, person: Person, resident: dict[str, Any], campaigns: list[date]) -> list[dict[str, Any]]:
        gone = resident["status"] in (Status.DIED, Status.MOVED)
        return [
            {
                "id": next(self.enrolment_ids),
                "resident_id": resident["id"],
                "village_id": resident["village_id"],
                "programme": programme,
                "since": self._since(programme, resident["registered_on"], campaigns),
                "next_due_on": self.today + timedelta(days=due_in),
                "urgency": "routine",
                "classification": None,
                "snoozed_until": None,
                "ended_on": resident["status_on"] if gone else None,
                "end_reason": STATUS_TITLES[Status(resident["status"])] if gone else None,
            }
            for programme, due_in in person.programmes.items()
        ]

    def _since(self, programme: str, registered_on: date, campaigns: list[date]) -> date:
        """A pregnancy is young; whoever has a chronic illness was found on some day since registration."""
        if programme == "maternal":
            return max(registered_on, self.today - timedelta(days=self.rng.randrange(5, 200)))
        return self.rng.choice([on for on in campaigns if on >= registered_on] or [registered_on])

    def finish(self) -> None:
        """Populations of the villages added up to the top, with the county's own denominators beside them."""
        by_id = {organisation["id"]: organisation for organisation in self.organisations}
        for village in (o for o in self.organisations if o["level"] == Level.VILLAGE):
            for above in village["path"].strip("/").split("/")[:-1]:
                by_id[int(above)]["population"] = (by_id[int(above)]["population"] or 0) + village["population"]
        for organisation in self.organisations:
            population = organisation["population"]
            organisation["denominators"] = {figure: round(population * share) for figure, share in TARGETS.items()}
        rows = [{key: o[key] for key in ("id", "population", "denominators")} for o in self.organisations]
        self.session.bulk_update_mappings(Organisation.__mapper__, rows)
        restart_sequences(self.connection, Base.metadata.sorted_tables)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
