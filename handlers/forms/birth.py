"""A birth told: when, where, how, and the children; each child born alive is registered with what is due for it. 分娩

The child is the mother's until it has a name of its own (周小燕之女), lives where she lives, and is seen together with her.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select

from handlers.forms.body import KILOS
from handlers.forms.doses import BIRTH_WEIGHT
from handlers.forms.gestation import booked_early
from handlers.steps import Answer, Day, Found, Known, Number, SelectOne, Step, any_of, options
from handlers.turn import Turn
from models import registry
from models.conversation import Doubt, Draft
from models.effects import counted
from models.enrolment import SEEN_TOGETHER, Enrolment
from models.message import mark_name
from models.people import Resident
from models.record import Record

HOME_VISIT_DAYS = 7  # within a week after discharge
HOSPITALS = (1, 2, 4)
BOY, GIRL = 1, 2
OF_ITS_MOTHER = "之"
"""Stands in the name of a child that has no name of its own yet: 周小燕之女."""
ORDINALS = ("", "次", "三")
SEXES = {BOY: "male", GIRL: "female"}
LEAST_PREGNANT_DAYS = 20 * 7  # an earlier end is no birth
MOST = 3  # children at once
A_FEW_DAYS = timedelta(days=7)  # by which a birthday may have been registered wrongly


@dataclass(frozen=True, kw_only=True, eq=False)
class BirthDay(Day):
    """The day of a birth: also 11月20号在县医院剖宫产, of which only the day is its.

    Where another step asks whether she has given birth, 生了 is left to that one.
    """

    leaves_words: bool

    @cached_property
    def _follows(self) -> re.Pattern[str]:
        words = any_of(self.after)
        ahead = rf"(?=[^,。;\d]{{0,14}}?(?:顺产|剖宫产|剖腹产|平产|{words}))"
        return re.compile(rf"\s*{ahead}" if self.leaves_words else rf"\s*(?:{words}|{ahead})")


@dataclass(frozen=True, kw_only=True, eq=False)
class Discharge(Day):
    """The day of discharge, never before the birth."""

    def _checked(self, day: date, known: Known) -> Answer:
        born = known.answers.get("delivered_on")
        if born is not None and day < date.fromisoformat(born):
            return Answer({}, Doubt(f"出院日期 {day} 在分娩日期 {born} 之前,请核对。请再写一次出院日期。", []))
        return super()._checked(day, known)


@dataclass(frozen=True, kw_only=True, eq=False)
class BirthWeight(Number):
    """What a child weighed at birth; of the first one also in 女孩3.2公斤."""

    first: bool = False

    def find(self, line: str, known: Known) -> Iterator[Found]:
        yield from super().find(line, known)
        if self.first:
            for match in _OF_A_CHILD.finditer(line):
                yield Found(match.start("number"), match.end(), self._value(match, known), announced=True)


_OF_A_CHILD = re.compile(
    rf"(?:[男女][孩婴]|儿子|女儿|千金|崽|胖小子)\s*,?\s*(?P<kind>(?!))?(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>{any_of(KILOS)})(?P<goal>(?!))?"
)


def baby_field(which: int, name: str) -> str:
    """baby_sex of the first child, baby2_sex of the second."""
    return f"baby{which if which > 1 else ''}_{name}"


def delivery_steps(told: Callable[[Known], bool], *, status_is_asked: bool) -> tuple[Step, ...]:
    """The questions of a birth, asked where `told` says that it is told at this visit."""

    def alive(number: int) -> Callable[[Known], bool]:
        return lambda known: told(known) and known.answers.get("live_births", 0) >= number

    def of_baby(which: int) -> tuple[Step, ...]:
        nth = f"第{which}个宝宝" if which > 1 else "宝宝"
        sex = SelectOne(
            field=baby_field(which, "sex"), title=f"{nth}性别", ask=f"{nth}是男是女?", when=alive(which), bare=FIRST_BABY if which == 1 else (),
            words=("宝宝",) if which == 1 else (f"{nth}",),
            options=options((BOY, "男", "男孩", "男婴", "儿子", "崽", "生了个儿子"), (GIRL, "女", "女孩", "女婴", "女儿", "千金"), (9, "未说明")),
        )  # fmt: skip
        weight = BirthWeight(
            field=baby_field(which, "birth_weight"), title=f"{nth}出生体重", ask=f"{nth}出生多重?(公斤)可以跳过。", first=which == 1,
            words=("出生体重", "出生时", "生下来") if which == 1 else (), optional=True, when=alive(which), unit="kg", units=KILOS, alone=(),
            possible=(0.4, 7), sure=(2.5, 5), decimals=2,
        )  # fmt: skip
        return sex, weight

    return (
        BirthDay(
            field="delivered_on", title="分娩日期", ask="哪天生的?", words=("分娩日期", "分娩", "生于", "产于"), bare=False, when=told,
            leaves_words=status_is_asked, after=("分娩", "剖的", "剖了", "剖宫", "剖腹", "顺的", "生了", "生的", "生产", "生下", "生宝宝", "生小孩", "生孩子"),
        ),
        SelectOne(
            field="delivery_mode", title="分娩方式", ask="怎么生的?", words=("分娩方式",), when=told,
            options=options(
                (1, "顺产", "顺的", "自然产", "阴道分娩", "平产"), (2, "胎头吸引"), (3, "产钳"), (4, "剖宫产", "剖腹产", "剖产", "=剖", "剖的", "剖了"), (6, "臀位"), (7, "其他", "=其他")
            ),
        ),
        SelectOne(
            field="delivery_place", title="分娩地点", ask="在哪里生的?", words=("分娩地点", "生产地点", "在"),
            bare=(), when=told,
            options=options(
                (1, "县级及以上医院", "县医院", "市医院", "县人民医院", "市人民医院", "妇幼保健院", "县妇幼", "省妇幼", "人民医院", "中医院"),
                (2, "乡镇卫生院", "卫生院", "镇卫生院"),
                (3, "家里或路上", "家里", "家中", "家", "路上", "半路"),
                (4, "其他医院", "外地医院", "外省医院"),
            ),
        ),
        SelectOne(
            field="live_births", title="活产", ask="生下来几个活的?", words=("活产",), when=told,
            options=options((1, "一个", "1个", "单胎"), (2, "双胞胎", "*双胞胎", "*双胎", "*龙凤胎"), (3, "三胞胎", "*三胞胎"), (0, "没有(死胎死产)", "*死胎", "*死产")),
        ),
        *(step for which in range(1, MOST + 1) for step in of_baby(which)),
        Discharge(
            field="discharged_on", title="出院日期", ask="哪天出院的?还没出院或不清楚可以跳过。", words=("出院日期", "出院"), after=("出院", "出的院"),
            bare=False, optional=True, calls=lambda known: told(known) and known.answers.get("delivery_place") in HOSPITALS,
        ),
    )  # fmt: skip


FIRST_BABY = ("男孩", "女孩", "男婴", "女婴", "生了个儿子", "千金")


def about_the_birth(known: Known, began: date | None) -> Doubt | None:
    """A discharge before the birth, a birth before there can be one."""
    born = known.answers.get("delivered_on") or known.details.get("delivered_on")
    if born is None:
        return None
    day, left = date.fromisoformat(str(born)), known.answers.get("discharged_on")
    if left is not None and date.fromisoformat(left) < day:
        return Doubt(f"出院日期 {left} 在分娩日期 {born} 之前,请核对。请再写一次出院日期。", [])
    if known.on < day:
        return Doubt(f"这次的日期 {known.on} 在分娩日期 {born} 之前,请核对,再写一次日期。", [])
    if began is not None and (day - began).days < LEAST_PREGNANT_DAYS and "birth_checked" not in known.answers:
        return Doubt(
            f"按末次月经 {began},{born}才孕{(day - began).days // 7}周。分娩日期或末次月经写错了吗?错了请重新写。",
            [("没写错", {"birth_checked": 1})],
        )
    return None


def birth_details(answers: Mapping[str, Any]) -> dict[str, Any]:
    """What the mother's enrolment remembers of the birth."""
    kept = ("delivered_on", "discharged_on", "delivery_mode", "delivery_place", "live_births")
    return {name: answers[name] for name in kept if name in answers}


def birth_measures(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    """What a birth adds to the figures, on the day on which it is told."""
    if "delivered_on" not in answers:
        return {}
    alive = int(answers.get("live_births", 0))
    measures = {"mothers_delivered": 1, "mothers_booked_early": int(booked_early(answers, known)), "live_births": alive}
    measures["hospital_live_births"] = alive if answers.get("delivery_place") in HOSPITALS else 0
    return {name: amount for name, amount in measures.items() if amount}


def register_babies(turn: Turn, record: Record) -> None:
    """Every child born alive that a record tells gets an entry; a correction puts the entries right.

    The record keeps who they are, so that its withdrawal takes them back, and the mother's next visit is theirs too.
    """
    mother = turn.resident(record.resident_id)
    if mother is None or "delivered_on" not in record.answers:
        return
    known = _registered(turn, record)
    if (same := turn.session.get(Resident, record.answers.get("baby_known") or 0)) is not None:
        known = [same, *known[1:]]
    number = int(record.answers.get("live_births", 0))
    babies = [_register(turn, record, mother, which, known[which - 1 : which]) for which in range(1, number + 1)]
    for superfluous in known[number:]:
        registry.unregister(turn.session, superfluous, record.on, turn.now, by=turn.worker.id)
    owes = record.owes or {}
    details = {**owes.get("details", {}), SEEN_TOGETHER: [[baby.id, "newborn_visit"] for baby in babies]}
    turn.forget_enrolments(mother.id)
    record.owes = {**owes, "details": details}


def take_babies_back(turn: Turn, record: Record) -> None:
    """The birth was told by mistake."""
    if record.status == "withdrawn":
        for baby in _told_by(turn, record):
            if baby.id != record.answers.get("baby_known"):
                registry.unregister(turn.session, baby, record.on, turn.now, by=turn.worker.id)


def _registered(turn: Turn, record: Record) -> list[Resident]:
    """The children that the corrected record had told."""
    before = turn.session.get(Record, record.corrects_id) if record.corrects_id else None
    return _told_by(turn, before) if before else []


def _told_by(turn: Turn, record: Record) -> list[Resident]:
    """The children whose birth a record told, as far as they are still on the register."""
    told = (record.owes or {}).get("details", {}).get(SEEN_TOGETHER, ())
    return [baby for baby in (turn.session.get(Resident, baby_id) for baby_id, _ in told) if baby is not None]


def _register(turn: Turn, record: Record, mother: Resident, which: int, known: list[Resident]) -> Resident:
    answers = record.answers
    born_on, sex = date.fromisoformat(answers["delivered_on"]), answers.get(baby_field(which, "sex"))
    told: registry.Particulars = {
        "name": baby_name(mother.name, which, sex),
        "sex": SEXES.get(sex or 0),
        "born_on": born_on,
        "identity": None,
        "phone": None,
        "village_id": mother.village_id,
        "village_group": mother.village_group,
        "householder": mother.householder,
        "worker_id": mother.worker_id,
        "groups": ["儿童"],
        "registered_on": record.on,
    }
    if known and known[0].name.startswith(f"{mother.name}{OF_ITS_MOTHER}"):
        baby = registry.correct_resident(turn.session, known[0], now=turn.now, by=turn.worker.id, **told)
    elif known:
        baby = known[0]  # it has its own name by now
    else:
        baby = registry.register_resident(turn.session, now=turn.now, by=turn.worker.id, **told)
    weight = answers.get(baby_field(which, "birth_weight"))
    left = date.fromisoformat(answers["discharged_on"]) if "discharged_on" in answers else born_on
    visit = _enrol(turn, baby, "child", record.on, left + timedelta(days=HOME_VISIT_DAYS), weight)
    shots = _enrol(turn, baby, "vaccination", record.on, born_on, weight)
    if not known:
        visit.next_service, visit.due_from, shots.due_from = "newborn_visit", left, born_on
    return baby


def same_baby(turn: Turn, draft: Draft) -> tuple[str, Doubt] | None:
    """A child of the household born on that day who is registered already is asked about, and not registered twice."""
    mother, answers = turn.resident(draft.resident_id), draft.answers
    if mother is None or "delivered_on" not in answers or "baby_known" in answers or not answers.get("live_births"):
        return None
    born_on = date.fromisoformat(answers["delivered_on"])
    there = turn.session.scalar(
        select(Resident)
        .where(Resident.village_id == mother.village_id, Resident.id != mother.id)
        .where(Resident.householder == mother.householder, Resident.householder.is_not(None))
        .where(Resident.born_on.between(born_on - A_FEW_DAYS, born_on + A_FEW_DAYS))
        .limit(1)
    )
    if there is None:
        return None
    ask = f"{mark_name(mother.name)}家已经登记了{mark_name(there.name)}({there.born_on}出生),就是这个宝宝吗?"
    return "baby_known", Doubt(ask, [("就是", {"baby_known": there.id}), ("不是,另外登记", {"baby_known": 0})])


def _enrol(turn: Turn, baby: Resident, programme: str, on: date, due_on: date, weight: Any) -> Enrolment:
    enrolment = registry.enrol(turn.session, baby, programme, since=on, next_due_on=due_on)
    with counted(turn.session, [baby.id]):
        if weight is not None:
            enrolment.details = {**enrolment.details, BIRTH_WEIGHT: weight}
    return enrolment


def baby_name(mother: str, which: int, sex: int | None) -> str:
    """周小燕之女; the second is 周小燕之次女."""
    return mother + OF_ITS_MOTHER + ORDINALS[which - 1] + {BOY: "子", GIRL: "女"}.get(sex or 0, "婴")
