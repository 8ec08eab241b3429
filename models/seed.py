"""A synthetic county, the same for the same seed number: organisations, workers, residents, a year of work. 示例县

Made for the demo, the tests and measurements, from a few dozen residents to a county's 428,000. Everything is invented.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import count as numbers
from operator import itemgetter
from random import Random
from types import SimpleNamespace
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models.base import Base
from models.bulk import insert_rows, insert_tuples, restart_sequences, table_of, without_collector, without_indexes
from models.county import county
from models.effects import person_effects, record_effects, resident_effects
from models.enrolment import VISITED, Enrolment
from models.fulfilment import Promise
from models.people import STATUS_TITLES, HealthWorker, Organisation, Resident, ResidentKey, Status
from models.record import Agreement, Record
from models.registry import keys_for, sealed
from models.seed_history import History
from models.seed_people import COUNTY, IdentityNumbers, Person, cast, strangers
from models.seed_places import Places, Row
from models.seed_schedules import is_vaccinated_on, plan_of
from models.tally import Effects, count
from models.tally import settle as settle_counters
from models.trouble import Trouble

REGISTERED = 0.9296  # 居民健康档案建档率 (domain.md F1)
CAMPAIGN_DAYS = 24  # on so many days the residents of a village were put on the register
LONG_AGO = timedelta(days=1500)
YOUNG = {"maternal": timedelta(days=60), "tb": timedelta(days=45)}
VILLAGES_COUNTED_AT_ONCE = 15  # about a township: its counters are written once, and little waits in memory
GONE = ((Status.DIED, 0.006), (Status.MOVED, 0.006), (Status.ABSENT, 0.03))


class NotEmpty(Trouble):
    """数据库里已经有机构了。示例数据只能放进空的数据库,请换一个新的 CUNYI_DATABASE_URL。"""


def seed(
    session: Session,
    today: date,
    now: datetime,
    *,
    residents: int = 2000,
    doctors: int = 12,
    seed: int = 1,
    history: bool = True,
) -> None:
    """Fill an empty database; the caller commits. `history` adds a year of visits, agreements and outreach.

    Due days lie around `today`: some overdue, some today, the rest within the interval of their programme.
    """
    if session.scalar(select(Organisation.id).limit(1)) is not None:
        raise NotEmpty
    rng = Random(seed)
    places = Places(rng, max(doctors, 1))
    connection = session.connection()
    insert_rows(connection, table_of(Organisation), places.organisations)
    insert_rows(connection, table_of(HealthWorker), places.workers)
    settling = _Settling(session, places, rng, today, now, history)
    with without_collector(), without_indexes(connection, table_of(ResidentKey)):
        settling.settle(residents)
    places.give_populations(settling.population)
    of_one = update(table_of(Organisation)).where(table_of(Organisation).c.id == bindparam("key"))
    new = [{"key": o["id"], "people": o["population"], "targets": o["denominators"]} for o in places.organisations]
    connection.execute(of_one.values(population=bindparam("people"), denominators=bindparam("targets")), new)
    restart_sequences(connection, Base.metadata.sorted_tables)


class _Settling:
    """Residents, village by village in one pass, so that half a million need little memory."""

    def __init__(
        self, session: Session, places: Places, rng: Random, today: date, now: datetime, history: bool
    ) -> None:
        self.session, self.places, self.rng, self.today, self.now = session, places, rng, today, now
        self.keyring = session.info["keyring"]
        self.promise = Promise.of(county(session))
        self.history = History(rng, today) if history else None
        self.identities = IdentityNumbers(COUNTY[0])
        self.resident_ids, self.enrolment_ids = numbers(1), numbers(1)
        self.population: dict[int, int] = {}

    def settle(self, residents: int) -> None:
        """The cast in its villages, and as many others everywhere as are still wanted."""
        villages, home = sorted(self.places.villages, key=itemgetter("parent_id", "id")), cast(self.today)
        sizes = [self.rng.uniform(0.7, 1.3) for _ in villages]
        left, sizes_left = max(residents - len(home), 0), sum(sizes)
        for village, size in zip(villages, sizes, strict=True):
            number = round(left * size / sizes_left)
            left, sizes_left = left - number, sizes_left - size
            here = [person for person in home if person.village == village["name"]]
            self._settle(village, here + strangers(self.rng, self.today, number, near_cast=bool(here)))
            if len(self.population) % VILLAGES_COUNTED_AT_ONCE == 0:
                settle_counters(self.session)

    def _settle(self, village: Row, people: list[Person]) -> None:
        campaigns = sorted(self.today - timedelta(days=self.rng.randrange(30, 5000)) for _ in range(CAMPAIGN_DAYS))
        rows: dict[type[Base], list[Row]] = {Resident: [], Enrolment: [], Record: [], Agreement: []}
        keys: list[tuple[int | str, ...]] = []
        effects: Effects = Counter()
        for person in people:
            number = self.identities.next(person.born_on, person.female)
            resident = self._resident(person, number, village, campaigns)
            enrolments = self._enrolments(person, resident, campaigns)
            records, agreements = self.history.of(person, resident, enrolments) if self.history else ([], [])
            found_by = sorted(keys_for(self.keyring, person.name, number, person.householder))
            keys += [(village["id"], key, resident["id"]) for key in found_by]
            rows[Resident].append(resident)
            rows[Enrolment] += enrolments
            rows[Record] += records
            rows[Agreement] += agreements
            effects.update(_effects(resident, enrolments, records, agreements, self.promise))
        if self.history:
            events = self.history.events(village, self.places.doctor_of[village["id"]])
            rows[Record] += events
            for event in events:
                effects.update(record_effects(_plain(event)))
        connection = self.session.connection()
        for model, of_model in rows.items():
            insert_rows(connection, table_of(model), of_model)
        insert_tuples(connection, table_of(ResidentKey), ("village_id", "key", "resident_id"), keys)
        count(self.session, effects)
        self.population[village["id"]] = sum(row["status"] in VISITED for row in rows[Resident])

    def _resident(self, person: Person, number: str, village: Row, campaigns: list[date]) -> Row:
        registered_on = self._registered_on(person, campaigns)
        status = Status.ACTIVE if person.village else self._fate()
        return {
            "id": next(self.resident_ids),
            "name": person.name,
            "sex": "female" if person.female else "male",
            "born_on": person.born_on,
            "village_id": village["id"],
            "village_group": person.group,
            "householder": person.householder,
            "worker_id": self.places.doctor_of[village["id"]],
            "groups": person.groups,
            "status": status.value,
            "status_on": None if status is Status.ACTIVE else self.today - timedelta(days=self.rng.randrange(1, 30)),
            "registered_on": registered_on,
            "registered_at": self.now if registered_on else None,
            **sealed(self.keyring, number, f"1990000{self.rng.randrange(10_000):04d}"),
        }

    def _registered_on(self, person: Person, campaigns: list[date]) -> date | None:
        """On one of the village's campaign days since birth; who is in a programme is registered."""
        if person.village:
            return max(person.born_on + timedelta(days=3), self.today - LONG_AGO)
        if not (person.programmes or self.rng.random() < REGISTERED):
            return None
        last = max(person.born_on, self.today - timedelta(days=3))
        return self.rng.choice([on for on in campaigns if on >= person.born_on] or [last])

    def _fate(self) -> Status:
        chance = self.rng.random()
        for status, share in GONE:
            chance -= share
            if chance < 0:
                return status
        return Status.ACTIVE

    def _enrolments(self, person: Person, resident: Row, campaigns: list[date]) -> list[Row]:
        rows = [
            self._enrolment(resident, programme, self._since(person, programme, resident["registered_on"], campaigns))
            | {"next_due_on": self.today + timedelta(days=due_in)}
            | (plan_of(person, programme, self.today) if not person.village else {})
            for programme, due_in in person.programmes.items()
        ]
        # of the cast nothing is told before: transcripts and the demo tell it
        if "child" in person.programmes and not person.village and is_vaccinated_on(person, self.today):
            shots = self._enrolment(resident, "vaccination", resident["registered_on"])
            rows.append(shots | plan_of(person, "vaccination", self.today))
        return rows

    def _enrolment(self, resident: Row, programme: str, since: date) -> Row:
        gone = resident["status"] not in VISITED
        return {
            "id": next(self.enrolment_ids),
            "resident_id": resident["id"],
            "village_id": resident["village_id"],
            "programme": programme,
            "since": since,
            "next_due_on": None,
            "due_from": None,
            "next_service": "tb_follow_up" if programme == "tb" else None,
            "details": self._treatment() if programme == "tb" else {},
            "urgency": "routine",
            "classification": None,
            "snoozed_until": None,
            "ended_on": resident["status_on"] if gone else None,
            "end_reason": STATUS_TITLES[Status(resident["status"])] if gone else None,
        }

    def _treatment(self) -> dict[str, Any]:
        """Of a patient with tuberculosis: what the first home visit told, six weeks ago."""
        began = self.today - YOUNG["tb"]
        return {
            "notified_on": began.isoformat(),
            "treatment_started_on": began.isoformat(),
            "patient_type": 1,
            "regimen": "2HRZE/4HR",
            "regimen_use": 1,
            "dosage_forms": [3],
            "supervisor": 2,
        }

    def _since(self, person: Person, programme: str, registered_on: date, campaigns: list[date]) -> date:
        """A pregnancy and a treatment are young; a chronic illness was found on some campaign day since registration."""
        if person.village:
            return max(registered_on, self.today - YOUNG.get(programme, LONG_AGO))
        if programme == "maternal":
            return max(registered_on, self.today - timedelta(days=self.rng.randrange(31, 200)))
        return self.rng.choice([on for on in campaigns if on >= registered_on] or [registered_on])


def _effects(
    resident: Row, enrolments: list[Row], records: list[Row], agreements: list[Row], promise: Promise
) -> Effects:
    if not (enrolments or records or agreements):  # most people, and half the time saved
        return resident_effects(_plain(resident))
    each = [[_plain(row) for row in rows] for rows in (enrolments, records, agreements)]
    return person_effects(_plain(resident), each[0], each[1], each[2], promise=promise)


def _plain(row: Row) -> Any:
    """A row to look at: a fiftieth of the time that an object of the mapped class takes to make."""
    return SimpleNamespace(on=row.get("on_day"), **row)
