"""家庭医生签约: one agreement, its packages, groups and term (domain.md D). Renewal is a new agreement, never automatic.

One doctor at a time: an agreement that still holds, with another doctor or with oneself, is said and asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from handlers.form import Form, day_of
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options
from handlers.turn import Turn
from models.agreements import Standing, conclude
from models.conversation import Doubt
from models.record import Agreement, Record

PACKAGES = SelectMany(
    field="package",
    title="服务包",
    ask="签哪个服务包?可以多选。",
    none_code="",
    options=options(
        (1, "基础包", "基本包", "免费包", "基础服务", "=基础", "基本服务包", "基础服务包"),
        (
            2,
            "重点人群包",
            "重点包",
            "重点人群服务包",
            "慢病服务包",
            "高血压服务包",
            "糖尿病服务包",
            "老年人服务包",
            "老年包",
            "高血压包",
            "糖尿病包",
            "老年人包",
            "孕产妇包",
            "儿童包",
            "慢病包",
        ),
        (3, "个性化包", "个性包", "个性化服务", "增值包", "有偿包", "个性化服务包"),
    ),
)
GROUPS = SelectMany(
    field="population_groups",
    title="人群类别",
    words=("人群",),
    none_code=0,
    asked=False,
    options=options(
        (0, "一般人群"),
        (1, "老年人", "65岁及以上老年人", "65岁以上老年人", "65岁及以上的老年人"),
        (2, "高血压患者", "高血压"),
        (3, "糖尿病患者", "2型糖尿病患者", "2型糖尿病", "糖尿病"),
        (4, "孕产妇", "孕妇"),
        (5, "0-6岁儿童", "儿童"),
        (6, "残疾人"),
        (7, "严重精神障碍患者", "精神病人"),
        (8, "肺结核患者", "结核病人"),
        (9, "脱贫人口", "贫困户", "脱贫户", "低保户", "低保", "特困"),
        (10, "计划生育特殊家庭", "计生特殊家庭"),
        (11, "慢阻肺患者", "慢阻肺"),
    ),
)
NEW, RENEWAL, ADDITION, FROM_ANOTHER = 1, 2, 3, 4
ACTION = SelectOne(
    field="action",
    title="签约类型",
    words=("签约类型",),
    options=options(
        (NEW, "新签", "首次签约", "首签"),
        (RENEWAL, "续签", "续约", "续签一年"),
        (ADDITION, "加签", "加签一个", "加一个包", "增签"),
        (FROM_ANOTHER, "换医生", "转签"),
    ),
    asked=False,
)
SIGNED_ON = Day(field="on", title="签约日期", words=("日期", "签订日期"), asked=False)
STARTS_ON = Day(
    field="starts_on", title="协议开始", words=("开始", "生效", "从", "自", "协议期从", "有效期从"), after=("起", "开始", "生效"),
    either_way=True, bare=False, asked=False,
)  # fmt: skip
TERM = Number(
    field="term_years",
    title="协议年限",
    words=("签约期", "期限", "签约", "签", "签了", "有效期", "续签"),
    unit="年",
    units={"年": 1, "周年": 1},
    unit_needed=True,
    possible=(1, 3),
    asked=False,
)
FEE = Number(
    field="fee", title="个人自费", words=("自费", "个人缴费", "收费", "收了", "缴费", "交费", "交了", "交", "收", "费用"),
    unit="元", units={"元": 1, "块": 1, "块钱": 1}, possible=(0, 2000), sure=(0, 1000), decimals=2, asked=False, zero=("不收费", "免费签约"),
)  # fmt: skip
CONSENT = SelectOne(
    field="consent",
    title="签字方式",
    options=options((1, "纸质签字", "纸质", "签字", "按手印"), (2, "电子签名", "电子签"), (3, "监护人代签", "代签")),
    asked=False,
)
PLACE = SelectOne(
    field="signing_place", title="签约地点", options=options((1, "上门签约"), (2, "门诊签约"), (3, "线上签约"), (4, "义诊现场签约")), asked=False
)  # fmt: skip
NUMBER = Text(field="agreement_number", title="协议编号", words=("协议编号", "编号"), asked=False, longest=40)
GUARDIAN = Text(field="guardian", title="监护人", words=("监护人",), asked=False, longest=40)

PROGRAMME_GROUPS = {"hypertension": 2, "diabetes": 3, "maternal": 4, "rehabilitation": 6, "copd": 11}
"""Groups that follow from what a resident is managed for; those that nobody else should read are the doctor's to add."""


def groups_known(known: Known) -> list[int]:
    """人群类别 as far as the register tells, by age and programme."""
    age = known.age
    by_age = [1] if age is not None and age >= 65 else [5] if age is not None and age <= 6 else []
    return by_age + [code for programme, code in PROGRAMME_GROUPS.items() if programme in known.programmes]


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Kind, groups and term, as far as they follow from the register and from what was said.

    From the day of signing, or for a renewal from the day after the last agreement, one year unless said otherwise; a
    year from 1 January ends on 31 December (M-26). An addition ends with the agreement it is added to.
    """
    found: dict[str, Any] = {"action": answers.get("action", NEW)}
    earlier = [a for a in known.agreements() if a.mine]
    signed = day_of(answers, known.today)
    standing = next((a for a in earlier if a.holds_on(signed)), None)
    if "action" not in answers and earlier and not standing:
        found["action"] = RENEWAL
    starts = signed
    if found["action"] == RENEWAL and earlier:
        found["renews"] = earlier[0].id
        starts = max(signed, earlier[0].last_on + timedelta(days=1)) if standing else signed
    if "starts_on" in answers:
        starts = date.fromisoformat(answers["starts_on"])
    ends = years_later(starts, int(answers.get("term_years", 1)))
    if found["action"] == ADDITION and standing and "term_years" not in answers:
        ends = standing.last_on
    if "population_groups" not in answers and (groups := groups_known(known)):
        found["population_groups"] = groups
    return found | {"starts_on": starts.isoformat(), "ends_on": ends.isoformat()}


def years_later(day: date, years: int) -> date:
    """The last day of so many years that begin on a day."""
    try:
        return day.replace(year=day.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


def check(known: Known) -> Doubt | None:
    """What the register has against it: dates far apart, another agreement that still holds, a number used before."""
    answers = known.answers
    signed = day_of(answers, known.today)
    if "starts_on" in answers:
        starts = date.fromisoformat(answers["starts_on"])
        if abs((starts - signed).days) > 366:
            return Doubt(f"协议开始日期 {starts} 和签约日期 {signed} 相差一年以上,请再写一次协议开始日期。", [])
    agreements = known.agreements()
    number = answers.get("agreement_number")
    if number and any(a.number == number for a in agreements):
        return Doubt(
            f"协议编号 {number} 已经用过。续签是新协议,要用新编号;请再发一次协议编号,或发“不填编号”。",
            [("不填编号,自动编", {"agreement_number": ""})],
        )
    begins = date.fromisoformat(answers["starts_on"]) if "starts_on" in answers else signed
    holding = [a for a in agreements if a.holds_on(begins) and a.id not in answers.get("replaces", [])]
    return _still_holds(holding, answers, begins) if holding else None


def _still_holds(holding: Sequence[Standing], answers: Mapping[str, Any], begins: date) -> Doubt | None:
    """An agreement that still holds on the first day of this one."""
    others, own = [a for a in holding if not a.mine], [a for a in holding if a.mine]
    if others:
        last = max(a.last_on for a in others)
        after = last + timedelta(days=1)
        said = "、".join(f"{a.doctor}医生(到{a.last_on})" for a in others)
        return Doubt(
            f"居民和{said}的协议还有效,同一时间只能有一位签约医生。怎么签?",
            [
                (
                    f"换成我签:原协议到{begins - timedelta(days=1)}解约",
                    {"action": FROM_ANOTHER, "replaces": [a.id for a in others]},
                ),
                (f"等到期再签:从{after}起", {"action": NEW, "starts_on": after.isoformat()}),
            ],
        )
    if own and answers.get("action") in (RENEWAL, ADDITION):
        return None
    last = max(a.last_on for a in own)
    after = last + timedelta(days=1)
    return Doubt(
        f"您和居民的协议到{last}还有效({package_words(own[0].packages)})。这次是?",
        [
            (f"续签:从{after}起", {"action": RENEWAL, "starts_on": after.isoformat()}),
            ("加签:原协议不动", {"action": ADDITION}),
            (f"重签:原协议到{begins - timedelta(days=1)}为止", {"action": NEW, "replaces": [a.id for a in own]}),
        ],
    )


def package_words(packages: Iterable[Any]) -> str:
    return "、".join(option.label for code in packages if (option := PACKAGES.option(code)))


def finish(turn: Turn, record: Record) -> None:
    """The agreement itself, with what is promised and until when; what it replaces ends the day before."""
    assert record.resident_id is not None
    answers = record.answers
    agreement = Agreement(
        record_id=record.id,
        resident_id=record.resident_id,
        village_id=record.village_id,
        worker_id=record.worker_id,
        number=answers.get("agreement_number") or None,
        packages=answers["package"],
        groups=answers.get("population_groups", []),
        starts_on=date.fromisoformat(answers["starts_on"]),
        ends_on=date.fromisoformat(answers["ends_on"]),
        renews_id=answers.get("renews"),
    )
    conclude(turn.session, agreement, answers.get("replaces", []))
    record.answers = {**answers, "agreement_number": agreement.number}


def receipt(answers: Mapping[str, Any]) -> str:
    """The term, and the number once there is one."""
    number = answers.get("agreement_number")
    return f"协议期:{answers['starts_on']} 至 {answers['ends_on']}" + (f",编号 {number}" if number else "")


def unsaid(turn: Turn, answers: Mapping[str, Any]) -> list[str]:
    """What the recap adds: that nothing renews by itself, and what is still to be signed."""
    lines = ["续签是一份新协议,原协议保留;到期不会自动续。"] if answers["action"] == RENEWAL else []
    return lines + ([] if "consent" in answers else ["未填:签字方式(点“补充其他项”)"])


form = Form(
    code="signing",
    title="家庭医生签约",
    about="resident",
    words=(
        "家庭医生签约",
        "家庭医生协议",
        "签约",
        "签协议",
        "协议签",
        "签了协议",
        "家医签约",
        "签了",
        "签好",
        "续签",
        "续约",
        "加签",
        "签一个",
        "签个",
        "签上",
    ),
    shows=("package",),
    steps=(SIGNED_ON, PACKAGES, ACTION, GROUPS, STARTS_ON, TERM, FEE, CONSENT, PLACE, GUARDIAN, NUMBER),
    check=check,
    derive=derive,
    finish=finish,
    foresees=unsaid,
    receipt=receipt,
)
