"""洪江市's yearly table, fed in as records and read back as figures (domain.md F1).

`python -m tests.hongjiang [--scale N]`: residents come in by the roster import, everything else by the same `submit`
that the button 提交 calls; then every figure of the table must be what `cunyi summary` says. With `--scale 100` one
record stands for a hundred.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.filling import open_drafts
from handlers.record_visit import submit
from handlers.turn import Turn
from models import migrate
from models.base import Store
from models.conversation import Conversation, Draft
from models.figures import figures
from models.message import IncomingMessage
from models.people import HealthWorker, Organisation, Resident, Role
from models.recount import recount
from models.roster_residents import BATCH, ResidentImport
from models.scope import scope_of
from models.secrets import Keyring
from tests.conftest import CHINA
from tests.databases import SECRET

YEAR = 2025
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
NOW = datetime(YEAR, 12, 31, 4, 0, tzinfo=UTC)
COMMIT_EVERY = 500

POPULATION, SIGNING_BASE, KEY_PEOPLE, POOR_PEOPLE = 428_008, 436_255, 185_301, 48_118
REGISTERED, ELDERLY, HYPERTENSION, DIABETES = 397_876, 32_987, 22_913, 8_741
TB, MENTAL, PNEUMOCONIOSIS = 178, 1_707, 200
SIGNED, SIGNED_KEY, SIGNED_POOR, SIGNED_THIS_YEAR = 205_040, 135_270, 48_118, 37_012
SESSIONS, ATTENDANCES, CHECKS, PUBLICITY = 227, 4_369, 15_838, 47_806
REFERRED_UP, REFERRED_DOWN = 2_815, 406
LECTURES, WARNINGS = 35, 80
TWO_CANCERS, COUPLES, PRENATAL = 11_049, 2_460, 3_040
FOLIC_GIVEN, FOLIC_TARGET = 363, 373  # 97.32 %
FOLIC_TAKEN, FOLIC_TAKERS = 118, 138  # 85.51 %
NEWBORNS_SCREENED, BIRTHS = 190, 200  # 95 %


@dataclass(frozen=True)
class Expected:
    """A line of the table: what it says, and the figure that must say the same."""

    phrase: str
    code: str
    value: float | int


class County:
    """A county with one township, one village and one doctor, and the year's work in it."""

    def __init__(self, store: Store, scale: int) -> None:
        self.store, self.scale = store, scale
        self.session: Session
        self.made = 0

    def n(self, number: int) -> int:
        """A number of the table at this scale."""
        return max(1, round(number / self.scale))

    def live(self) -> list[Expected]:
        """Feed the whole year in and say what must come out."""
        self._found()
        self._register()
        with self.store.write() as session:
            self.session = session
            self.worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
            self.scope = scope_of(session, self.worker)
            ids = list(session.scalars(select(Resident.id).order_by(Resident.id)))
            for service, resident_id, answers in self._year(ids):
                self.record(service, resident_id, **answers)
            session.commit()
        return self._expected()

    def record(self, service: str, resident_id: int | None, **answers: Any) -> None:
        """One form filled in and submitted."""
        self.made += 1
        message = IncomingMessage("console", "V001", f"h{self.made}", NOW)
        turn = Turn(self.session, NOW, CHINA, self.worker, self.scope, Conversation(), message)
        open_drafts(turn, [Draft(service, resident_id, {"on": LAST.isoformat(), **answers})])
        submit(turn)
        if self.made % COMMIT_EVERY == 0:
            self.session.commit()

    def _found(self) -> None:
        with self.store.write() as session:
            given = {
                "signing_rate_general": self.n(SIGNING_BASE),
                "folic_acid_distribution_rate": FOLIC_TARGET,
                "folic_acid_adherence_rate": FOLIC_TAKERS,
                "newborn_screening_rate": BIRTHS,
            }
            people = self.n(POPULATION)
            for key, (code, name, level, above, path) in enumerate(
                [
                    ("431281", "洪江市", "county", None, "/1/"),
                    ("431281101", "托口镇", "township", 1, "/1/2/"),
                    ("431281101201", "石桥村", "village", 2, "/1/2/3/"),
                ],
                1,
            ):
                session.add(
                    Organisation(
                        id=key, code=code, name=name, level=level, parent_id=above, path=path, population=people,
                        denominators=given,
                    )
                )  # fmt: skip
            session.flush()
            session.add(HealthWorker(code="V001", name="李梅", role=Role.DOCTOR, organisation_id=3, villages=[3]))
            session.commit()

    def _register(self) -> None:
        importing = ResidentImport(today=FIRST, now=NOW)
        rows = self._rows()
        while part := list(islice(rows, BATCH)):
            with self.store.write() as session:
                importing.take(session, part)
                session.commit()
        assert not importing.result.refused, importing.result.refused[:3]

    def _rows(self) -> Iterator[Mapping[str, str]]:
        """The roster: everybody of the population, most with a health record, grouped and enrolled as the table says."""
        for i in range(self.n(POPULATION)):
            programmes = [
                word
                for word, people in (
                    ("高血压", HYPERTENSION), ("糖尿病", DIABETES), ("肺结核", TB), ("严重精神障碍", MENTAL), ("尘肺病", PNEUMOCONIOSIS),
                )
                if i < self.n(people)
            ]  # fmt: skip
            groups = ["脱贫人口"] if i < self.n(POOR_PEOPLE) else ["残疾人"] if i < self.n(KEY_PEOPLE) else []
            yield {
                "姓名": f"示例{i}".translate(HAN),
                "性别": "女" if i % 2 else "男",
                "出生日期": f"{1945 + i % 15}-{1 + i % 12:02d}-{1 + i % 28:02d}"
                if i < self.n(ELDERLY)
                else "1985-06-01",
                "村编码": "431281101201",
                "责任医生": "V001",
                "人群": "、".join(groups),
                "管理项目": "、".join(programmes),
                "建档日期": f"{YEAR - 1}-06-01" if i < self.n(REGISTERED) else "",
            }

    def _year(self, ids: list[int]) -> Iterator[tuple[str, int | None, dict[str, Any]]]:
        yield from self._signings(ids)
        sessions = self.n(SESSIONS)
        for k in range(sessions):
            yield (
                "outreach_clinic", None,
                {
                    "place": "石桥村", "village_id": 3, "attendances": share(self.n(ATTENDANCES), sessions, k),
                    "physical_checks": share(self.n(CHECKS), sessions, k),
                    "publicity_contacts": share(self.n(PUBLICITY), sessions, k),
                },
            )  # fmt: skip
        for k in range(self.n(ELDERLY)):
            yield "elderly_check", ids[k], {"systolic": 132, "diastolic": 80, "self_rating": 1, "symptoms": [1]}
        for k in range(self.n(REFERRED_UP)):
            yield (
                "referral_up",
                ids[k],
                {"referral_to": "县人民医院", "referral_reason": "血压控制不好", "referral_urgency": 2},
            )
        for k in range(self.n(REFERRED_DOWN)):
            yield "referral_down", ids[-1 - k], {"referred_from": "县人民医院", "diagnosis": "高血压病"}
        yield from self._screenings(ids)
        for _ in range(self.n(LECTURES)):
            yield "training", None, {"kind": 3, "topic": "高血压规范管理", "people": 6}
        for _ in range(self.n(WARNINGS)):
            yield "training", None, {"kind": 6, "topic": "警示教育", "people": 20}

    def _screenings(self, ids: list[int]) -> Iterator[tuple[str, int | None, dict[str, Any]]]:
        """Two cancers, couples before a pregnancy, prenatal and newborn screening, folic acid."""
        for k in range(self.n(TWO_CANCERS)):
            yield "screening_result", ids[k], {"kind": "cervical", "method": "cytology", "result": 1}
        for k in range(self.n(COUPLES)):
            yield "screening_result", ids[k], {"kind": "preconception", "result": 1, "couple": 1}
        for k in range(self.n(PRENATAL)):
            yield "screening_result", ids[k], {"kind": "prenatal", "result": 1}
        for k in range(NEWBORNS_SCREENED):
            yield "screening_result", ids[k], {"kind": "newborn", "result": 1}
        for k in range(FOLIC_GIVEN):
            taken = {"adherence": 1, "completed": 1} if k < FOLIC_TAKEN else {}
            yield "folic_acid", ids[k], {"stage": 1, "bottles": 3, "risks": ["none"], **taken}

    def _signings(self, ids: list[int]) -> Iterator[tuple[str, int | None, dict[str, Any]]]:
        """Key people first; what was not signed this year was signed last year for two."""
        key = self.n(KEY_PEOPLE)
        signed = [*ids[: self.n(SIGNED_KEY)], *ids[key : key + self.n(SIGNED) - self.n(SIGNED_KEY)]]
        for k, resident_id in enumerate(signed):
            fresh = k < self.n(SIGNED_THIS_YEAR)
            day = f"{YEAR if fresh else YEAR - 1}-03-01"
            yield "signing", resident_id, {"on": day, "package": [1], "term_years": 1 if fresh else 2}

    def _expected(self) -> list[Expected]:
        n = self.n
        return [
            Expected("居民健康档案 397876份 92.96%", "health_record_coverage", percent(n(REGISTERED), n(POPULATION))),
            Expected("高血压 22913人", "hypertension_managed", n(HYPERTENSION)),
            Expected("糖尿病 8741人", "diabetes_managed", n(DIABETES)),
            Expected("结核 178人", "tb_managed", n(TB)),
            Expected("严重精神障碍 1707人", "mental_health_managed", n(MENTAL)),
            Expected("尘肺病 200人", "pneumoconiosis_managed", n(PNEUMOCONIOSIS)),
            Expected("65岁及以上管理 32987人", "elderly_managed", n(ELDERLY)),
            Expected("一般人群签约 205040人 47%", "signing_rate_general", percent(n(SIGNED), n(SIGNING_BASE))),
            Expected("重点人群签约 135270人 73%", "signing_rate_key", percent(n(SIGNED_KEY), n(KEY_PEOPLE))),
            Expected("贫困人口签约 48118人 100%", "signing_rate_poor", percent(n(SIGNED_POOR), n(POOR_PEOPLE))),
            Expected("签订协议 37012人份", "agreements_signed", n(SIGNED_THIS_YEAR)),
            Expected("义诊 227场", "outreach_sessions", n(SESSIONS)),
            Expected("义诊 4369人次", "outreach_attendances", n(ATTENDANCES)),
            Expected("免费体检 15838人次", "physical_checks", n(CHECKS)),
            Expected("面对面宣传 47806人次", "publicity_contacts", n(PUBLICITY)),
            Expected("上转 2815人次", "referrals_up", n(REFERRED_UP)),
            Expected("下转 406人次", "referrals_down", n(REFERRED_DOWN)),
            Expected("两癌检查 11049名", "two_cancer_screened", n(TWO_CANCERS)),
            Expected("优检 2460对", "preconception_couples", n(COUPLES)),
            Expected("优检 4920人", "preconception_people", 2 * n(COUPLES)),
            Expected("产前筛查 3040人", "prenatal_screened", n(PRENATAL)),
            Expected("新生儿疾病筛查率 95%", "newborn_screening_rate", 95.0),
            Expected("叶酸投服率 97.32%", "folic_acid_distribution_rate", 97.32),
            Expected("叶酸依从率 85.51%", "folic_acid_adherence_rate", 85.51),
            Expected("讲座 35次、警示教育 80余场", "trainings", n(LECTURES) + n(WARNINGS)),
        ]


HAN = str.maketrans("0123456789", "零一二三四五六七八九")


def share(total: int, parts: int, k: int) -> int:
    """The k-th of so many parts that add up to the total."""
    return total * (k + 1) // parts - total * k // parts


def percent(numerator: int, denominator: int) -> float:
    return round(100 * numerator / denominator, 2)


def shown(store: Store) -> dict[str, Any]:
    """The figures of the county for the year, as `cunyi summary` computes them."""
    with store.read() as session:
        county = session.get_one(Organisation, 1)
        return {figure.code: figure.value for figure in figures(session, county, FIRST, LAST, LAST)}


def compare(store: Store, expected: list[Expected]) -> list[str]:
    """What differs, in words; empty when every figure of the table came out."""
    found = shown(store)
    return [f"{e.phrase}: {e.code} is {found[e.code]}, not {e.value}" for e in expected if found[e.code] != e.value]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1)
    scale = parser.parse_args(arguments).scale
    with tempfile.TemporaryDirectory(prefix="cunyi-hongjiang-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'county.db'}", Keyring(SECRET))
        migrate.upgrade(store)
        begin = time.perf_counter()
        county = County(store, scale)
        expected = county.live()
        fed = time.perf_counter() - begin
        wrong = compare(store, expected)
        with store.read() as session:
            differing = len(recount(session))
        store.close()
    print(f"1:{scale}: {county.n(POPULATION)} residents, {county.made} records fed in {fed:.0f} s")
    print(
        f"{len(expected) - len(wrong)} of {len(expected)} figures equal; counters that differ from the rows: {differing}"
    )
    print("\n".join(wrong))
    return 1 if wrong or differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
