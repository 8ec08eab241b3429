"""The organisations and workers of the synthetic county, as rows. 示例机构与人员"""

from __future__ import annotations

from math import ceil
from random import Random
from typing import Any

from models.people import Level, Role
from models.seed_people import COUNTY, HOME_VILLAGES, TOWNSHIPS, village_names, worker_name

DOCTORS_PER_TOWNSHIP = 11
TARGETS = {  # 应签约人数 over population (domain.md F1): the county's own denominators
    "signing_rate_general": 436_255 / 428_008,
    "signing_rate_key": 185_301 / 428_008,
    "signing_rate_poor": 48_118 / 428_008,
}
Row = dict[str, Any]


class Places:
    """A county, its townships with a supervisor each, its villages with their doctors.

    李梅 (V001) has three villages in the first township, 王主任 (S001) supervises it, 陈科长 (C001) the county; A001 keeps
    the system running.
    """

    def __init__(self, rng: Random, doctors: int) -> None:
        self._rng = rng
        self.organisations: list[Row] = []
        self.workers: list[Row] = []
        self.doctor_of: dict[int, int] = {}
        county = self._organisation(*COUNTY, Level.COUNTY, None)
        self._worker("A001", "管理员", Role.ADMIN, county)
        self._worker("C001", "陈科长", Role.COUNTY, county)
        townships = self._townships(county, min(max(3, ceil(doctors / DOCTORS_PER_TOWNSHIP)), len(TOWNSHIPS), doctors))
        names = iter(village_names(rng, 2 * doctors))
        for i in range(doctors):
            own = HOME_VILLAGES if i == 0 else [next(names) for _ in range(2 if i % 5 == 0 else 1)]
            villages = [self._village(name, townships[i % len(townships)]) for name in own]
            self._doctor(f"V{i + 1:03d}", "李梅" if i == 0 else self._new_name(), villages)

    @property
    def villages(self) -> list[Row]:
        return [organisation for organisation in self.organisations if organisation["level"] == Level.VILLAGE]

    def give_populations(self, of_village: dict[int, int]) -> None:
        """Populations of the villages added up to the top, with the county's own denominators beside them."""
        population = dict.fromkeys((o["id"] for o in self.organisations), 0)
        for village in self.villages:
            for above in village["path"].strip("/").split("/"):
                population[int(above)] += of_village[village["id"]]
        for organisation in self.organisations:
            people = population[organisation["id"]]
            organisation["population"] = people
            organisation["denominators"] = {figure: round(people * share) for figure, share in TARGETS.items()}

    def _townships(self, county: Row, number: int) -> list[Row]:
        townships = []
        for i, name in enumerate(TOWNSHIPS[:number]):
            township = self._organisation(f"{COUNTY[0]}{100 + i}", name, Level.TOWNSHIP, county)
            supervisor = "王主任" if i == 0 else self._new_name(chief=True)
            self._worker(f"S{i + 1:03d}", supervisor, Role.TOWNSHIP, township)
            townships.append(township)
        return townships

    def _organisation(self, code: str, name: str, level: Level, parent: Row | None) -> Row:
        key = len(self.organisations) + 1
        organisation: Row = {
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

    def _village(self, name: str, township: Row) -> Row:
        place = sum(organisation["parent_id"] == township["id"] for organisation in self.organisations)
        return self._organisation(f"{township['code']}{200 + place}", name, Level.VILLAGE, township)

    def _doctor(self, code: str, name: str, villages: list[Row]) -> None:
        doctor = self._worker(code, name, Role.DOCTOR, villages[0], [village["id"] for village in villages])
        for village in villages:
            self.doctor_of[village["id"]] = doctor["id"]

    def _worker(self, code: str, name: str, role: Role, seat: Row, villages: list[int] | None = None) -> Row:
        worker: Row = {
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
        """A name that no worker bears yet, as far as fifty draws find one."""
        taken = {worker["name"] for worker in self.workers}
        name = ""
        for _ in range(50):
            name = worker_name(self._rng)
            name = name[0] + "主任" if chief else name
            if name not in taken:
                break
        return name
