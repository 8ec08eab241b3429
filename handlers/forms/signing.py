"""家庭医生签约: one agreement, its packages, groups and term (domain.md D). Renewal is a new agreement, never automatic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from handlers.form import Form, day_of
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options
from handlers.turn import Turn
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
SIGNED_ON = Day(field="on", title="签约日期", words=("日期", "签订日期"), asked=False)
STARTS_ON = Day(
    field="starts_on", title="协议开始", words=("开始", "生效", "从", "自", "协议期从", "有效期从"), after=("起", "开始", "生效"),
    either_way=True, bare=False, asked=False,
)  # fmt: skip
TERM = Number(
    field="term_years",
    title="协议年限",
    words=("签约期", "期限", "签约", "签", "签了", "有效期"),
    unit="年",
    units={"年": 1, "周年": 1},
    unit_needed=True,
    possible=(1, 3),
    asked=False,
)
FEE = Number(
    field="fee", title="个人自费", words=("自费", "个人缴费", "收费", "收了", "缴费", "交费", "交了", "交", "收", "费用"),
    unit="元", units={"元": 1, "块": 1, "块钱": 1}, possible=(0, 2000), decimals=2, asked=False, zero=("不收费", "免费签约"),
)  # fmt: skip
CONSENT = SelectOne(
    field="consent",
    title="签字方式",
    options=options((1, "纸质签字", "纸质"), (2, "电子签名", "电子签"), (3, "监护人代签", "代签")),
    asked=False,
)
NUMBER = Text(field="agreement_number", title="协议编号", words=("协议编号", "编号"), asked=False)


def term(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """From the day of signing, one year unless said otherwise; a year from 1 January ends on 31 December (M-26)."""
    starts = date.fromisoformat(answers["starts_on"]) if "starts_on" in answers else day_of(answers, known.today)
    return {
        "starts_on": starts.isoformat(),
        "ends_on": _years_later(starts, int(answers.get("term_years", 1))).isoformat(),
    }


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


def check(known: Known) -> Doubt | None:
    """An agreement cannot begin long before it was signed, nor years ahead."""
    if "starts_on" in known.answers:
        starts, signed = date.fromisoformat(known.answers["starts_on"]), day_of(known.answers, known.today)
        if abs((starts - signed).days) > 366:
            return Doubt(f"协议开始日期 {starts} 和签约日期 {signed} 相差一年以上,请再写一次协议开始日期。", [])
    return None


def finish(turn: Turn, record: Record) -> None:
    """The agreement itself, with what is promised and until when."""
    assert record.resident_id is not None
    turn.session.add(
        Agreement(
            record_id=record.id,
            resident_id=record.resident_id,
            village_id=record.village_id,
            worker_id=record.worker_id,
            packages=record.answers["package"],
            groups=record.answers.get("population_groups", []),
            starts_on=date.fromisoformat(record.answers["starts_on"]),
            ends_on=date.fromisoformat(record.answers["ends_on"]),
        )
    )


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
    steps=(SIGNED_ON, PACKAGES, GROUPS, STARTS_ON, TERM, FEE, CONSENT, NUMBER),
    shows=("package",),
    check=check,
    derive=term,
    finish=finish,
    receipt=lambda answers: f"协议期:{answers['starts_on']} 至 {answers['ends_on']}",
)
