"""肺结核患者随访: the norm's form (domain.md A4) to the end of treatment. Discreet: no first line names it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from handlers.absence import DIED
from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.tb_steps import DANGER, DOSAGE_FORMS, REGIMEN, REGIMEN_USE, REMEMBERED, SUPERVISOR, SYMPTOMS
from handlers.protocols import tb
from handlers.steps import Answer, Day, Found, Known, Number, SelectOne, Text, options
from models.conversation import Doubt

LONGEST_TREATMENT = 36  # months; resistant tuberculosis is treated for up to two years


def month_of(known: Known) -> int | None:
    """治疗月序: the first month of treatment is 1; None while nobody has told when it began."""
    began = known.details.get("treatment_started_on")
    if not began:
        return None
    first = date.fromisoformat(began)
    months = (known.on.year - first.year) * 12 + known.on.month - first.month - (known.on.day < first.day)
    return months + 1 if months >= 0 else None


TREATMENT_MONTH = Number(
    field="treatment_month", title="治疗月序", ask="治疗第几个月了?(按治疗记录卡)", words=("治疗第", "疗程第", "吃药第", "服药第", "用药第", "第"), unit="个月",
    units={"个月": 1, "月": 1}, unit_needed=True, alone=(), possible=(1, LONGEST_TREATMENT), sure=(1, 24),
    when=lambda known: month_of(known) is None or "treatment_month" in known.answers,
)  # fmt: skip
_SOME = re.compile(
    r"漏(?:服|吃|了|过|药){1,3}(?:好?几|一些|不少|多)(?:次|顿|天)|漏(?:服|吃|了|过|药){1,3}(?:[1一两半几]|\d+)个?(?:星期|礼拜|周|月)|(?:经常|有时|有时候|老是|总|总是)漏(?:服|吃|药)?"
)


class MissedDoses(Number):
    """A number; 漏了几次 and 经常漏服 are asked."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        yield from super().find(line, known)
        for match in _SOME.finditer(line):
            yield Found(*match.span(), Answer({}, Doubt(f"“{match[0]}”:上次随访以来到底漏服几次?请发数字。", [])))


MISSED_DOSES = MissedDoses(
    field="missed_doses", title="漏服药次数", ask="上次随访以来漏服几次?没漏发 0。", words=("漏服", "漏服药", "漏了", "漏吃", "忘服", "忘吃药"),
    unit="次", units={"次": 1, "顿": 1, "天": 1}, possible=(0, 90), sure=(0, 45), alone=(),
    zero=("没漏服", "没有漏服", "未漏服", "没漏过", "一次没漏", "没漏药", "药没漏", "一顿没漏", "无漏服", "没漏"),
)  # fmt: skip
ADVERSE = SelectOne(
    field="adverse_reaction",
    title="药物不良反应",
    ask="有药物不良反应吗?",
    words=common.ADVERSE.words,
    options=common.ADVERSE.options,
    bare=common.ADVERSE.bare,
)
COMPLICATIONS = SelectOne(
    field="complications",
    title="并发症或合并症",
    ask="有并发症或合并症吗?",
    words=("并发症", "合并症"),
    options=options(
        (1, "无", "~没有", "~没", "*无并发症", "*没有并发症", "*无合并症"), (2, "有", "*有并发症", "*有合并症")
    ),
)
COMPLICATIONS_WHAT = Text(field="complications_what", title="并发症或合并症表现", asked=False, longest=80)
PHASE = SelectOne(
    field="phase",
    title="治疗阶段",
    options=options((1, "强化期", "=强化"), (2, "继续期", "巩固期")),
    asked=False,
)
SMEAR_MONTH_2 = common.coded(
    "smear_month2", "2月末痰菌", (1, "阳性"), (2, "阴性"), (3, "未查"), words=("二月末痰检", "2个月末痰菌", "2月末查痰")
)
REFERRAL_RESULT = Text(
    field="referral_result", title="两周内随访转诊结果", words=("转诊结果",), asked=False, longest=100
)
ADVICE = Text(field="advice", title="处理意见", words=("处理意见",), asked=False, longest=200)

# --- the end of treatment ---


def at_the_end(known: Known) -> bool:
    return "stop_reason" in known.answers


STOP_REASON = SelectOne(
    field="stop_reason",
    title="停止治疗原因",
    words=("停止治疗",),
    options=options(
        (1, "完成疗程", "*完成疗程", "*疗程完成", "*疗程满了", "*治疗完成", "*疗程结束", "*药吃完了", "*药都吃完了", "*疗程吃满了", "*吃满疗程", "*疗程到了"), (2, "死亡"), (3, "丢失"), (4, "转入耐多药治疗", "*转入耐多药治疗", "*转耐多药")
    ),
    asked=False,
)  # fmt: skip
STOPPED_ON = Day(
    field="stopped_on", title="停止治疗时间", ask="哪天停止治疗的?", words=("停止治疗日期", "停止治疗"), after=("停止治疗", "停药", "停的药"),
    bare=False, when=lambda known: at_the_end(known) or "stopped_on" in known.answers,
)  # fmt: skip


def total(field: str, title: str, ask: str, most: int) -> Number:
    """One of the four counts over the whole course."""
    return Number(
        field=field,
        title=title,
        ask=ask,
        unit="次",
        units={"次": 1},
        possible=(0, most),
        sure=(0, most / 2),
        alone=(),
        when=at_the_end,
    )


VISITS_DUE = total("visits_due", "应访视", "整个疗程应访视几次?", 400)
VISITS_MADE = total("visits_made", "实际访视", "实际访视了几次?", 400)
DOSES_DUE = total("doses_due", "应服药", "整个疗程应服药几次?(照治疗记录卡)", 1500)
DOSES_TAKEN = total("doses_taken", "实际服药", "实际服药几次?", 1500)
CLOSING = (STOP_REASON, STOPPED_ON, VISITS_DUE, VISITS_MADE, DOSES_DUE, DOSES_TAKEN)
NO_REACTION = 1


def check(known: Known) -> Doubt | None:
    """The contradictions of M-11, of the course, and of its end."""
    return _against_the_drugs(known) or _month(known) or _end(known)


def _against_the_drugs(known: Known) -> Doubt | None:
    """Blurred sight, severe rash or lost hearing, and yet no reaction to the drugs."""
    answers = known.answers
    symptoms, signs = set(answers.get("symptoms") or ()), set(answers.get("danger_signs") or ())
    odd = symptoms & {tb.BLURRED, tb.HEARING}
    if tb.RASH in symptoms and "severe_rash" in signs:
        odd.add(tb.RASH)
    if answers.get("adverse_reaction") != NO_REACTION or not odd:
        return None
    said = "、".join(tb.SYMPTOMS[code] for code in sorted(odd))
    return Doubt(
        f"有{said},又说没有药物不良反应,对不上。请改其中一项。",
        [("有药物不良反应", {"adverse_reaction": 2}), (f"没有{said}", {"symptoms": sorted(symptoms - odd) or [0]})],
    )


def _month(known: Known) -> Doubt | None:
    """The month that is told against the day on which treatment began, and against the month told last."""
    said, counted, before = known.answers.get("treatment_month"), month_of(known), known.details.get("treatment_month")
    if said is None or said == known.answers.get("month_checked"):
        return None
    if counted is not None and abs(said - counted) > 1:
        return Doubt(f"按开始治疗的日期是第{counted}个月,这里写的是第{said}个月。是哪一个?", _either(counted, said))
    if counted is None and before is not None and said < before:
        return Doubt(f"上次写的是第{before}个月,这次是第{said}个月。是哪一个?", _either(before, said))
    return None


def _either(counted: int, said: int) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"第{counted}个月", {"treatment_month": counted}),
        (f"就是第{said}个月", {"treatment_month": said, "month_checked": said}),
    ]


def _end(known: Known) -> Doubt | None:
    answers = known.answers
    if "stopped_on" in answers and "stop_reason" not in answers:
        reasons = [(o.label, {"stop_reason": o.code}) for o in STOP_REASON.options]
        return Doubt("停止治疗的原因是?", reasons)
    if answers.get("stop_reason") == tb.DIED and answers.get("outcome") != DIED:
        died = {"outcome": DIED, "died_on": answers.get("stopped_on", known.on.isoformat())}
        return Doubt("停止治疗的原因是死亡,同时登记死亡吗?", [("登记死亡", died)])
    for due, made, what in (("visits_due", "visits_made", "访视"), ("doses_due", "doses_taken", "服药")):
        if due in answers and made in answers and answers[made] > answers[due]:
            text = f"实际{what}{answers[made]}次,多于应{what}{answers[due]}次。请改其中一项。"
            return Doubt(
                text,
                [
                    (f"应{what} {answers[made]} 次", {due: answers[made]}),
                    (f"实际{what} {answers[due]} 次", {made: answers[due]}),
                ],
            )
    return None


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """What was told before and holds on, the month of treatment, and the share of doses taken in per cent."""
    derived = common.remembered(answers, known, REMEMBERED)
    month = month_of(known)
    if month is not None and "treatment_month" not in answers:
        derived["treatment_month"] = month
    if answers.get("doses_due"):
        derived["dose_rate"] = round(100 * answers.get("doses_taken", 0) / answers["doses_due"], 1)
    return derived


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["person.tb_visited"]


def measures(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    """A course completed, and one of which at least nine tenths of the doses were taken 规则服药."""
    if answers.get("stop_reason") != tb.COMPLETED:
        return {}
    regular = answers.get("doses_due") and 100 * answers.get("doses_taken", 0) >= tb.REGULAR * answers["doses_due"]
    return {"tb_completed": 1, **({"tb_regular": 1} if regular else {})}


KEPT = (*REMEMBERED, "treatment_month", "smear_month2")


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The next supervision, or the end of the programme with its reason."""
    if "stop_reason" in answers:
        reason = STOP_REASON.labels(answers)["stop_reason"]
        return Due(ended=f"停止治疗:{reason}", service="tb_follow_up")
    return common.keeping(answers, decision, KEPT, service="tb_follow_up")


def admits(known: Known) -> Doubt | None:
    """Who is only suspected of tuberculosis is sent to the designated hospital, and is treated by nobody yet (A4)."""
    if "tb" in known.programmes or known.age is None:
        return None
    return Doubt(
        "这位居民不在这个项目的管理名单里,已确诊的点下面。\n只是怀疑的不记随访:请发“转诊 姓名 定点医院 原因”,并在24小时内报告;不记了发“取消”。",
        [("已确诊,照记", {"outside": 1})],
    )


form = Form(
    code="tb_follow_up",
    admits=admits,
    title="肺结核随访",
    about="resident",
    words=("肺结核随访", "结核随访", "结核病随访", "肺结核", "督导服药"),
    hints=("结核",),
    needs=("missed_doses",),
    shows=("treatment_month", "missed_doses", "symptoms"),
    programme="tb",
    protocol=tb.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        TREATMENT_MONTH,
        SUPERVISOR,
        SYMPTOMS,
        DANGER,
        MISSED_DOSES,
        ADVERSE,
        COMPLICATIONS,
        common.TEMPERATURE,
        common.ADVERSE_WHAT,
        COMPLICATIONS_WHAT,
        REGIMEN,
        REGIMEN_USE,
        DOSAGE_FORMS,
        PHASE,
        SMEAR_MONTH_2,
        common.SMOKING,
        common.ALCOHOL,
        REFERRAL_RESULT,
        ADVICE,
        *CLOSING,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    derive=derive,
    marks=marks,
    measures=measures,
    owes=owes,
)
