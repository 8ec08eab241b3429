"""产后访视: the home visit after discharge and the check at 42 days; a birth not told before is told here (domain.md A7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from handlers.decisions import Decision, Urgency
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.antenatal_visit import MOTHER, SYMPTOMS
from handlers.forms.birth import (
    HOSPITALS,
    about_the_birth,
    birth_details,
    birth_measures,
    delivery_steps,
    register_babies,
    same_baby,
    take_babies_back,
)
from handlers.forms.body import examined
from handlers.forms.danger import plain_danger_step
from handlers.forms.gestation import began_on, booked_early, may_be_pregnant, of_a_woman
from handlers.forms.hypertension_follow_up import PRESSURE_TAKEN
from handlers.protocols import postpartum
from handlers.protocols.findings import TELEPHONE
from handlers.protocols.postpartum import CHECK, CHECK_DAY, HOME, LATEST_HOME, TWELVE_WEEKS
from handlers.steps import Known, Number, SelectMany, SelectOne, Text, options
from models.conversation import Doubt

LEAST_ANTENATAL_VISITS = 5
INDICATOR_DAYS = 28  # after discharge (domain.md B)


def birth_is_told(known: Known) -> bool:
    """The birth was not told before this visit."""
    return "delivered_on" not in known.details


def days_since_birth(known: Known) -> int | None:
    told = known.answers.get("delivered_on") or known.details.get("delivered_on")
    return (known.on - date.fromisoformat(str(told))).days if told else None


def between(known: Known) -> bool:
    """Too late to be the home visit without a question, too early for the check."""
    days = days_since_birth(known)
    return days is not None and LATEST_HOME < days < CHECK_DAY


KIND = SelectOne(
    field="kind", title="访视类别", ask="这次是产后访视,还是42天健康检查?", calls=between,
    options=options(
        (HOME, "产后访视(入户)", "~产后访视", "~访视", "~入户"), (CHECK, "产后42天健康检查", "*产后42天健康检查", "*42天检查", "*产后42天", "*42天健康检查", "*42天复查", "*42天体检"),
    ),
)  # fmt: skip
DANGER = plain_danger_step(
    postpartum.DANGER_SIGNS,
    "她现在有没有下面的情况?",
    said={
        "heavy_bleeding": ("大出血", "出血多", "血多", "流血不止"),
        "severe_headache": ("头疼", "脑壳痛"),
        "sudden_vision": ("眼花", "看不清"),
        "foul_lochia": ("恶露臭", "恶露有臭味", "恶露有异味"),
        "breathless": ("不能平卧", "喘不上气"),
        "leg_swelling": ("一条腿肿",),
    },
    shown=("heavy_bleeding", "severe_headache", "sudden_vision", "fever", "foul_lochia", "breathless", "leg_swelling"),
)
MOOD = SelectOne(
    field="mood", title="情绪", ask="单独问一问她:这两周心情怎么样?有没有不想活、想伤害自己或孩子的念头?", words=("心情", "心理状况"),
    options=options(
        (1, "平稳", "*心情好", "*心情还行", "*心情不错", "*情绪稳定", "情绪好", "*情绪还行", "~好", "~很好", "~还行", "~没有"), (2, "低落、爱哭、睡不着", "*情绪低落", "*心情不好", "*爱哭", "*老是哭", "*老哭", "*总是哭", "*天天哭", "*闷闷不乐"),
        (3, "有这种念头", "*不想活", "*想死", "*想自杀", "伤害自己", "想伤害孩子"),
    ),
)  # fmt: skip
LOCHIA = replace(
    examined("lochia", "恶露"), asked=True, ask="恶露正常吗?",
    options=options((1, "未见异常", "正常", "无异常", "没问题", "不多", "干净", "干净了"), (2, "异常", "不正常", "有问题", "多", "很多", "不干净")),
)  # fmt: skip
WOUND = replace(
    examined("wound", "伤口", "切口", "会阴伤口"), asked=True, ask="伤口正常吗?没有伤口可以跳过。", optional=True
)
BREASTS = replace(examined("breasts", "乳房", "奶"), asked=True, ask="乳房正常吗?(红肿、硬块、裂口)")
GUIDANCE = SelectMany(
    field="guidance", title="指导", none_code="", asked=False, advice=True, words=("指导",),
    options=options((1, "个人卫生"), (2, "心理"), (3, "营养"), (4, "母乳喂养"), (5, "新生儿护理与喂养"), (6, "避孕"), (7, "其他", "=其他")),
)  # fmt: skip


def check(known: Known) -> Doubt | None:
    return about_the_birth(known, began_on(known.answers, known))


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Which visit it is, by the days since the birth, and whether the pressure of a pregnancy still counts."""
    days = days_since_birth(replace(known, answers=answers))
    if days is None:
        return {}
    by_days = HOME if days <= LATEST_HOME else CHECK if days >= CHECK_DAY else None
    kind = answers.get("kind", by_days)
    derived = {"days_since_birth": days, **({"kind": kind} if kind else {})}
    return {**derived, **({"pregnancy": 2} if days <= TWELVE_WEEKS else {})}


def within_28_days(answers: Mapping[str, Any], known: Known) -> bool:
    """At home, within 28 days after discharge; of an unknown discharge, after the birth."""
    told = {**known.details, **answers}
    left = told.get("discharged_on") or told.get("delivered_on")
    seen = answers.get("kind") == HOME and not common.by_telephone(answers)
    return seen and left is not None and (known.on - date.fromisoformat(str(left))).days <= INDICATOR_DAYS


def cared_for_throughout(answers: Mapping[str, Any], known: Known) -> bool:
    """孕产妇系统管理: booked before 13 weeks, five antenatal visits or more, born in hospital, visited after the birth."""
    visits = [
        v
        for v in known.past()
        if v.service == "antenatal_visit" and v.mode != TELEPHONE and "delivered_on" not in v.answers
    ]
    place = answers.get("delivery_place", known.details.get("delivery_place"))
    enough = len(visits) >= LEAST_ANTENATAL_VISITS
    return enough and booked_early(answers, known) and place in HOSPITALS and within_28_days(answers, known)


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Each mother counts once among those visited, and among those cared for throughout."""
    visited = ["person.mothers_visited"] if within_28_days(answers, known) else []
    return [*visited, *(["person.mothers_systematic"] if cared_for_throughout(answers, known) else [])]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The check at 42 days after the home visit; after the check nothing, unless something was found."""
    details = birth_details(answers)
    if decision is None:
        return Due(details=details)
    found = decision.urgency in (Urgency.EMERGENCY, Urgency.REFER)
    if answers.get("kind") == CHECK and not common.by_telephone(answers) and not found:
        return Due(ended="产后42天健康检查完成,孕产妇管理结案", details=details)
    opens_on = common.opens_on(postpartum.window(common.findings_of(answers, known)), decision)
    return Due(on=decision.next_due_on, opens_on=opens_on, service="postpartum_visit", details=details)


form = Form(
    code="postpartum_visit",
    title="产后访视",
    about="resident",
    words=("产后访视", "产后42天", "产后随访", "产后家访", "42天检查", "产后42天健康检查", "产后检查"),
    hints=("产后", "坐月子", "月子里"),
    needs=("delivered_on", "discharged_on", "lochia", "mood", "kind", "wound", "uterus", "breasts", "systolic", "diastolic"),
    shows=("kind", "systolic", "temperature", "lochia"),
    programme=MOTHER,
    protocol=postpartum.protocol,
    enrols="always",
    fits=lambda known: may_be_pregnant(known),
    admits=of_a_woman,
    steps=(
        common.ON,
        *ABSENCE,
        *delivery_steps(birth_is_told, status_is_asked=False),
        KIND,
        PRESSURE_TAKEN,
        replace(common.TEMPERATURE, asked=True, optional=True, ask="体温多少?没量可以跳过。"),
        DANGER,
        LOCHIA,
        BREASTS,
        WOUND,
        MOOD,
        common.MODE_LATER,
        replace(common.HEART_RATE, asked=False),
        common.HEART_RATE_REPEAT,
        SYMPTOMS,
        examined("general", "一般健康情况"),
        examined("uterus", "子宫"),
        Number(field="mood_score", title="情绪量表分", words=("EPDS", "量表"), possible=(0, 30), alone=(), asked=False),
        Text(field="other_findings", title="其他", words=("其他情况",), asked=False, longest=80),
        GUIDANCE,
        Text(field="note", title="备注", words=("备注",), asked=False),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    at_once=True,
    notices=same_baby,
    derive=derive,
    marks=marks,
    measures=birth_measures,
    owes=owes,
    finish=register_babies,
    undo=take_babies_back,
)  # fmt: skip
