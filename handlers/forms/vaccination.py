"""预防接种: the doses of today, counted by the schedule of 2026; a dose too early is asked and never counted (domain.md A9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.body import TEMPERATURE
from handlers.forms.doses import NONE, Booklet, child_of, dose_step, given_before, numbered
from handlers.forms.reaction import Reaction
from handlers.infectious import begin_clock
from handlers.protocols import vaccination
from handlers.protocols.ages import age_words, months_later, months_old
from handlers.protocols.immunisation import Child, Given, doses_of, too_early
from handlers.protocols.vaccination import KEY
from handlers.protocols.vaccines import BY_CODE, LEAVES_AT, dose_title
from handlers.steps import Known, Number, SelectOne, Text, options
from handlers.turn import Turn
from models.conversation import Doubt
from models.record import Record

OLD_ENOUGH_FOR_A_PAST = 28  # days; a younger child's doses are told one by one


def counted_doses(known: Known) -> list[str]:
    """The doses of the answers with their numbers, those too early included."""
    return [dose for dose in numbered(known.answers.get("doses") or [], given_before(known)) if dose != NONE]


def gave_something(known: Known) -> bool:
    return bool(known.answers.get("doses")) and known.answers["doses"] != [NONE]


def gave_nothing(known: Known) -> bool:
    return known.answers.get("doses") == [NONE] and known.answers.get("aefi", 1) == 1


def has_no_history(known: Known) -> bool:
    """Nothing is remembered of a child old enough to have been given something."""
    remembers = any(name.startswith(KEY) for name in known.details)
    old = known.born_on is not None and (known.on - known.born_on).days >= OLD_ENOUGH_FOR_A_PAST
    return old and not remembers


BOOKLET = Booklet(
    field="booklet", title="接种证", ask="系统里还没有这个孩子的接种史。照接种证,以前打过哪些?例如:乙肝3 卡介苗1 脊灰3 百白破3", words=("接种证",),
    calls=has_no_history,
)  # fmt: skip
DOSES = dose_step()
NOT_GIVEN = SelectOne(
    field="not_given", title="没打的原因", ask="为什么没打?", words=("没打原因", "未种原因"), when=gave_nothing,
    options=options(
        (1, "生病暂缓", "感冒", "发烧", "发热", "生病", "咳嗽"),
        (2, "家长不同意", "*家长不同意", "*家里不同意", "拒绝", "*不肯打", "*不愿打", "*不愿意打"),
        (3, "缺苗", "*缺苗", "*没苗", "*没有疫苗", "缺货"),
        (4, "疑似禁忌", "过敏", "禁忌"),
        (5, "已通知去接种门诊", "通知了", "已通知", "去接种门诊", "去卫生院打"),
        (6, "其他", "=其他"),
    ),
)  # fmt: skip
OBSERVED = SelectOne(
    field="observed", title="留观", ask="留观满30分钟了吗?", words=("留观",), when=gave_something,
    options=options((1, "满30分钟,无反应", "留观30分钟", "留观满30分钟", "留观了30分钟", "满30分钟", "观察30分钟", "观察了30分钟", "留观0.5小时", "留观半小时", "观察半小时", "观察0.5小时", "留观无异常", "~无异常", "没反应", "~满了", "~满", "~是"), (2, "没有留观", "没留观", "未留观", "~没有", "~没"), (3, "有反应",)),
)  # fmt: skip
AEFI = Reaction(
    field="aefi", title="接种反应", ask="是什么样的反应?", words=("不良反应", "异常反应", "AEFI"),
    calls=lambda known: known.answers.get("observed") == 3,
    options=options(
        (1, "无", "~无", "~没有", "*没有不良反应", "*无不良反应", "没有异常反应"),
        (2, "有反应(一般或可疑异常)", "*打针后发烧", "*打完发烧", "*打完针发烧", "*打了针发烧", "*打完针发热", "*打完针红肿", "*打完针起疹子", "*接种后发烧", "*接种后发热", "*打针后红肿", "局部红肿", "皮疹", "起疹子", "*打针后过敏"),
        (3, "严重", "*过敏性休克", "抽搐", "惊厥", "*喉头水肿", "呼吸困难", "昏迷", "休克"),
        (4, "死亡"),
        (5, "群体性(同一批几个人)", "好几个都有反应", "群体性"),
    ),
)  # fmt: skip
BIRTH_WEIGHT = Number(
    field="birth_weight", title="出生体重", unit="kg", units={"kg": 1, "公斤": 1, "千克": 1, "斤": common.JIN_IN_KG, "g": 0.001, "克": 0.001},
    alone=(), possible=(0.4, 7), sure=(2.5, 5), decimals=2, asked=False,
)  # fmt: skip


def admits(known: Known) -> Doubt | None:
    """The schedule is worked out from a birthday, and ends at eighteen."""
    if known.born_on is None:
        return Doubt("档案里没有出生日期,不能推算接种时间。请先补上出生日期,或发“取消”。", [])
    if months_old(known.born_on, known.on) >= LEAVES_AT:
        return Doubt(f"{known.age}岁了,这里只记18岁以下的免疫规划接种。不记了发“取消”。", [])
    return None


def check(known: Known) -> Doubt | None:
    """Each dose is the next of its series, neither too early nor there already."""
    child, doses = child_of(known), counted_doses(known)
    if child is None:
        return None
    if known.on < child.born_on:
        return Doubt(f"接种日期{known.on}在出生({child.born_on})之前,请再写一次日期。", [])
    return next(filter(None, (_doubt_about(known, child, doses, dose) for dose in doses)), None)


def _doubt_about(known: Known, child: Child, doses: Sequence[str], dose: str) -> Doubt | None:
    """What is odd about one dose: not of the schedule, given already, none before it, too early, too old."""
    others = [other for other in doses if other != dose]
    drop = {"doses": others or [NONE]}
    if not _exists(child, dose):
        return Doubt(f"{dose_title(dose)}不在免疫程序里,写错了吗?", [("去掉这一剂", drop)])
    given = given_before(known)
    code, _, number = dose.partition(".")
    following = numbered([code], given)[0]
    if dose in given:
        ask = f"{dose_title(dose)}已经打过了({given[dose] or '接种证'}),这次是哪一剂?"
        next_one = (f"是{dose_title(following)}", {"doses": [*others, following]})
        return Doubt(ask, [*([next_one] if _exists(child, following) else []), (f"不记{dose_title(dose)}", drop)])
    if int(number) > 1 and (before := f"{code}.{int(number) - 1}") not in given and before not in doses:
        booklet = {**(known.answers.get("booklet") or {}), code: int(number) - 1}
        had = (f"打过,今天是{dose_title(dose)}", {"booklet": booklet})
        not_had = (f"没打过,今天是{dose_title(following)}", {"doses": [*others, following]})
        return Doubt(f"{dose_title(before)}还没有记录。前面的打过吗?", [had, not_had])
    early = known.answers.get("early_doses") or []
    today = {**given, **dict.fromkeys((other for other in others if other not in early), known.on)}
    if dose in early or not (why := _not_now(known, child, today, dose)):
        return None
    really = {"doses": list(doses), "early_doses": [*early, dose]}
    return Doubt(f"{why}是不是写错了?", [("写错了,去掉这一剂", drop), ("真的已经打了", really)])


def _not_now(known: Known, child: Child, given: Given, dose: str) -> str:
    """Why a dose may not be given on the day, or ""."""
    age = age_words(child.born_on, known.on)
    if first := too_early(child, given, dose, known.on):
        return f"{dose_title(dose)}最早 {first} 才能打,{known.on}孩子才{age},或和上一剂间隔不够。"
    series = BY_CODE.get(dose.partition(".")[0])
    if series and series.until and known.on >= months_later(child.born_on, series.until):
        return f"{age}了,程序里不再打{dose_title(dose)}。"
    return ""


def _exists(child: Child, dose: str) -> bool:
    code, _, number = dose.partition(".")
    series = BY_CODE.get(code)
    return dose.startswith("DT.") if series is None else 1 <= int(number) <= len(doses_of(series, child))


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Every dose with its number."""
    return {"doses": numbered(answers["doses"], given_before(known))} if answers.get("doses") else {}


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The earliest next dose; what was given and what the booklet shows is remembered for the next time."""
    early = answers.get("early_doses") or []
    now = [dose for dose in answers.get("doses") or [] if dose != NONE and dose not in early]
    booklet = {f"{code}.{n}": "" for code, had in (answers.get("booklet") or {}).items() for n in range(1, had + 1)}
    told = {f"{KEY}{dose}": day for dose, day in {**booklet, **dict.fromkeys(now, known.on.isoformat())}.items()}
    details: dict[str, Any] = {name: day for name, day in told.items() if name not in known.details or day}
    if "birth_weight" in answers:
        details["birth_weight"] = answers["birth_weight"]
    if decision is None or decision.next_due_on is None:
        return Due(details=details, ended="免疫规划疫苗都打完了" if decision else "")
    return Due(on=decision.next_due_on, opens_on=decision.next_due_on, service="vaccination", details=details)


def measures(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    """Doses given now, all together and by vaccine; one that does not count is a dose given all the same."""
    now = [dose for dose in answers.get("doses") or [] if dose != NONE]
    counts: dict[str, int] = {}
    for dose in now:
        name = f"vaccine_doses.{dose.partition('.')[0]}"
        counts[name] = counts.get(name, 0) + 1
    return {**counts, "vaccine_doses": len(now)} if now else {}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["person.children_vaccinated"] if any(d != NONE for d in answers.get("doses") or []) else []


def finish(turn: Turn, record: Record) -> None:
    """A reaction has to reach the county within 48 hours; a severe one, a death or a cluster within 2 (domain.md A9)."""
    if within := _to_be_reported_within(record.answers):
        begin_clock(turn, record, within)


def receipt(answers: Mapping[str, Any]) -> str:
    within = _to_be_reported_within(answers)
    hours = within // timedelta(hours=1) if within else 0
    return f"接种反应{hours}小时内要由卫生院报到县疾控,卫生院确认后告诉您" if hours else ""


def _to_be_reported_within(answers: Mapping[str, Any]) -> timedelta | None:
    aefi = answers.get("aefi", 1)
    if aefi == vaccination.REACTION:
        return timedelta(hours=48)
    return timedelta(hours=2) if aefi > vaccination.REACTION else None


form = Form(
    code="vaccination",
    title="预防接种",
    about="resident",
    words=("预防接种", "接种疫苗", "打疫苗", "打预防针", "打防疫针"),
    hints=("打完针", "打了针", "打针后", "打的针", "接种后"),
    needs=("doses", "aefi"),
    programme="vaccination",
    protocol=vaccination.protocol,
    enrols="always",
    fits=lambda known: known.born_on is not None and months_old(known.born_on, known.today) < LEAVES_AT,
    steps=(
        common.ON,
        *ABSENCE,
        BOOKLET,
        DOSES,
        NOT_GIVEN,
        OBSERVED,
        AEFI,
        common.coded("screening", "接种前询问", (1, "没有问题", "无异常", "正常"), (2, "有疑问", "异常"), words=("预检", "三查")),
        replace(TEMPERATURE, asked=False, usual=(35.5, 41)),
        SelectOne(
            field="place", title="接种地点", words=("地点", "在"), asked=False,
            options=options((1, "本卫生室"), (2, "乡镇接种门诊", "*接种门诊打的", "*卫生院打的"), (3, "医院产科", "*医院打的"), (4, "外地", "*外地打的")),
        ),
        Text(field="lot", title="批号", words=("批号",), asked=False, longest=40),
        Text(field="maker", title="生产企业", words=("厂家", "企业"), asked=False, longest=40),
        SelectOne(
            field="site", title="接种部位", words=("部位",), asked=False,
            options=options((1, "左上臂", "*左上臂", "*左臂", "*左胳膊", "*左手臂"), (2, "右上臂", "*右上臂", "*右臂", "*右胳膊", "*右手臂"), (3, "左大腿", "*左大腿", "左腿"), (4, "右大腿", "*右大腿", "右腿"), (5, "口服")),
        ),
        Text(field="other_vaccines", title="其他疫苗(自费)", words=("自费疫苗", "二类疫苗", "其他疫苗"), asked=False, longest=60),
        common.coded("mother_hbsag", "母亲乙肝表面抗原", (1, "阴性"), (2, "阳性"), (3, "不详")),
        common.coded("hbig", "乙肝免疫球蛋白", (1, "已打", "打了"), (2, "没打"), words=("免疫球蛋白",)),
        BIRTH_WEIGHT,
        Text(field="note", title="备注", words=("备注",), asked=False),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    admits=admits,
    check=check,
    at_once=True,
    derive=derive,
    marks=marks,
    measures=measures,
    owes=owes,
    finish=finish,
    receipt=receipt,
)  # fmt: skip
