"""A vaccination visit: what was given counts or not, what is to be made up for, what is reported and how fast. 预防接种

《国家免疫规划疫苗儿童免疫程序及说明(2026年版)》 with domain.md M-19. Whether a vaccine must not be given is never decided here: the
vaccination clinic decides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.ages import months_old
from handlers.protocols.common import emergency, refer
from handlers.protocols.findings import number, setting
from handlers.protocols.immunisation import Child, Given, Planned, due_on, plan
from handlers.protocols.vaccines import DIPHTHERIA_TETANUS, YEARS, dose_title
from handlers.protocols.windows import asked, soonest

SCHEDULE_2026 = "免疫程序及说明(2026年版) / domain.md A9"
AEFI_NORM = "疑似预防接种异常反应监测 / domain.md A9"
ROUTE = "接种门诊决定禁忌 / domain.md A9"
KEY = "dose."
"""How the enrolment remembers a dose: `dose.DTP.1` with its ISO day, or with no day where the booklet gives none."""

REACTION, SEVERE_REACTION, DEATH, CLUSTER = 2, 3, 4, 5
MAYBE_CONTRAINDICATED, DOUBTFUL = 4, 2
POSITIVE = 2
FIRST_DAY, FIRST_MONTH = range(2), range(2, 28)  # days old
DAYS_TO_BCG_TEST = 3  # months; from then on a PPD test comes first
SETTINGS = {
    "vaccination.again_days": Setting(14, "今天该打没打的,几天后再提醒", "[D]"),
    "vaccination.light_birth_dose_counts": Setting(False, "出生体重不到2000克的,乙肝出生剂次算不算", "[D] 80 %, M-19"),
}


def given_before(f: Findings) -> dict[str, date | None]:
    """The doses the enrolment remembers."""
    return remembered(f.details)


def remembered(details: Mapping[str, object]) -> dict[str, date | None]:
    return {
        name.removeprefix(KEY): date.fromisoformat(str(day)) if day else None
        for name, day in details.items()
        if name.startswith(KEY)
    }


def given_now(f: Findings) -> list[str]:
    """The doses of this visit that count."""
    early = f.get("early_doses") or []
    return [dose for dose in f.get("doses") or [] if dose != "none" and dose not in early]


def child_of(f: Findings) -> Child | None:
    if f.born_on is None:
        return None
    weight = number(f.get("birth_weight")) or number(f.details.get("birth_weight"))
    light_counts = setting(f, SETTINGS, "vaccination.light_birth_dose_counts")
    return Child(f.born_on, f.sex, None if light_counts else weight)


def after(f: Findings) -> Given:
    """Everything given up to and with this visit: remembered, told from the booklet, given now."""
    booklet = {f"{code}.{n}": None for code, had in (f.get("booklet") or {}).items() for n in range(1, had + 1)}
    return {**booklet, **given_before(f), **dict.fromkeys(given_now(f), f.on)}


def upcoming(f: Findings) -> list[Planned]:
    child = child_of(f)
    return plan(child, after(f), f.on) if child else []


def open_now(f: Findings) -> list[Planned]:
    """What might have been given today and was not."""
    child = child_of(f)
    return due_on(child, after(f), f.on) if child else []


def titles(planned: Sequence[Planned]) -> str:
    return "、".join(dose_title(one.dose) for one in planned)


def months(f: Findings) -> int:
    return months_old(f.born_on, f.on) if f.born_on else 0


def waits_for_bcg(f: Findings) -> bool:
    return any(one.dose == "BCG.1" for one in open_now(f)) and months(f) >= DAYS_TO_BCG_TEST


def needs_dt(f: Findings) -> bool:
    """Seven to eleven years old, and the five doses against diphtheria, tetanus and pertussis not complete."""
    return 7 * YEARS <= months(f) < 12 * YEARS and "DTP.5" not in after(f) and f"{DIPHTHERIA_TETANUS}.1" not in after(f)


def born_to_a_carrier(f: Findings, days_old: range) -> bool:
    """So many days old, the mother carries hepatitis B, and vaccine and immunoglobulin are not both given."""
    if f.born_on is None or (f.on - f.born_on).days not in days_old:
        return False
    return f.get("mother_hbsag") == POSITIVE and ("HepB.1" not in after(f) or f.get("hbig") != 1)


ACT = (
    Rule(
        "VAC-11",
        when=lambda f: f.get("aefi") in (SEVERE_REACTION, DEATH, CLUSTER),
        then=emergency("马上救治并打120,同时打电话报告乡镇卫生院和县疾控:2小时内必须报到。保留疫苗和注射器。"),
        because="死亡、严重或群体性的疑似预防接种异常反应",
        source=AEFI_NORM,
        certainty="2小时 [K]",
    ),
    Rule(
        "VAC-12",
        when=lambda f: f.get("aefi") == REACTION,
        then=refer("48小时内报告县疾控(乡镇卫生院代报),送接种门诊看,别自己处理过敏。", "tell_township"),
        because="有疑似预防接种异常反应",
        source=AEFI_NORM,
        certainty="48小时 [K]",
    ),
    Rule(
        "VAC-13",
        when=lambda f: f.get("not_given") == MAYBE_CONTRAINDICATED or f.get("screening") == DOUBTFUL,
        then=refer("能不能打由接种门诊医生判断:带接种证和病历去接种门诊,不要自己决定不打。"),
        because="疑似禁忌或接种前询问有疑问",
        source=ROUTE,
        certainty="[D]",
    ),
    Rule(
        "VAC-14",
        when=lambda f: bool(f.get("early_doses")),
        then=refer("提前打的剂次不算,由接种门诊定补种时间;观察孩子有没有反应。"),
        because="有剂次早于最小月龄或最短间隔({early})",
        source=SCHEDULE_2026,
        certainty="[S:14]",
    ),
    Rule(
        "VAC-15",
        when=lambda f: born_to_a_carrier(f, FIRST_DAY),
        then=emergency("马上联系产科或接种门诊:出生12小时内乙肝疫苗和免疫球蛋白都要打。"),
        because="出生一天内,乙肝疫苗和免疫球蛋白没有都打",
        source="安全修正第19条 / domain.md A9、M-19",
        certainty="[D] 80 %",
    ),
    Rule(
        "VAC-16",
        when=lambda f: born_to_a_carrier(f, FIRST_MONTH),
        then=refer("过了12小时也不要等:今天带去接种门诊或产科,乙肝疫苗和免疫球蛋白还能不能补由门诊定。"),
        because="出生一天以后、满月以前,妈妈乙肝阳性,乙肝疫苗和免疫球蛋白没有都打",
        source="安全修正第19条 / domain.md A9、M-19",
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "VAC-21",
        when=waits_for_bcg,
        then=Outcome(say="卡介苗过了3月龄:先到接种门诊做PPD试验,阴性才补种,满4岁不再种。"),
        because="3月龄到3岁没有卡介苗",
        source=SCHEDULE_2026,
        certainty="[S:14]",
    ),
    Rule(
        "VAC-22",
        when=needs_dt,
        then=Outcome(say="满7岁不再打百白破:用白破补种,打几剂由接种门诊定。"),
        because="7~11岁百白破没有打满5剂",
        source=SCHEDULE_2026,
        certainty="[S:14]",
    ),
    Rule(
        "VAC-23",
        when=lambda f: any(one.is_late(f.on) for one in open_now(f)),
        then=Outcome(say="补种没打的剂次({late}),打过的不用重来。"),
        because="有剂次过了推荐的完成时间({late})",
        source=SCHEDULE_2026,
        certainty="[S:14][S:14b]",
    ),
    Rule(
        "VAC-24",
        when=lambda f: any(not one.is_late(f.on) for one in open_now(f)),
        then=Outcome(say="今天还能打({open})。"),
        because="已到最小月龄和间隔的剂次还没打({open})",
        source=SCHEDULE_2026,
        certainty="[S:14]",
    ),
    Rule(
        "VAC-25",
        when=lambda f: bool(given_now(f)) and f.get("observed") == 2,
        then=Outcome(say="打完要留观满30分钟再走,请回来看一看。"),
        because="接种后没有留观30分钟",
        source=SCHEDULE_2026,
        certainty="[S:33b]",
    ),
    Rule(
        "VAC-31",
        when=lambda f: True,
        then=Outcome(),
        because="下一剂按最小月龄和最短间隔推算({next})",
        source="免疫程序及说明(2026年版) / domain.md A9、M-19",
        certainty="[S:14];间隔 [D] 80 %",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """
    各疫苗的下一剂都不早于最小月龄,也不早于和上一剂的最短间隔;两种注射减毒活疫苗不同天打的隔28天;打过的不重来。
    最早的那一剂就是下次日期;今天该打没打的,14天后再提醒(设置)。转诊的2周内追访。程序内全打完的不再安排,女孩13岁还有HPV。
    """
    again = f.on + timedelta(days=setting(f, SETTINGS, "vaccination.again_days"))
    return soonest(asked(f, within), *(one.earliest if one.earliest > f.on else again for one in upcoming(f)))


def values(f: Findings) -> Mapping[str, object]:
    now = open_now(f)
    due = schedule(f, None, Urgency.ROUTINE, None)
    ahead = [one for one in upcoming(f) if due is not None and one.earliest <= due]
    return {
        "early": "、".join(map(dose_title, f.get("early_doses") or [])),
        "late": titles([one for one in now if one.is_late(f.on)]),
        "open": titles([one for one in now if not one.is_late(f.on)]),
        "next": f"{due}起:{titles(ahead)}" if ahead else "程序内的都打完了",
    }


protocol = Protocol(
    code="vaccination",
    title="预防接种",
    version="2026",
    source="国家免疫规划疫苗儿童免疫程序及说明(2026年版)",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
)
