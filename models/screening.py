"""What residents are screened for free, whom the norm invites, how often, and what a result can be. 免费筛查 (domain.md C)

Two indexes: `TESTS` is what one result is about (`answers["kind"]` of a `screening_result`), `KINDS` is what a campaign
is held for. Data only: who is eligible is worked out in `eligibility`, what becomes of a result in `results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

NEGATIVE, SUSPECT, POSITIVE, UNSUITABLE, REFUSED = range(1, 6)
RESULTS: Mapping[int, str] = {
    NEGATIVE: "阴性",
    SUSPECT: "可疑/待复查",
    POSITIVE: "阳性",
    UNSUITABLE: "不合格样本",
    REFUSED: "拒绝",
}
"""`answers["result"]` of a screening result."""

TRACKED = (SUSPECT, POSITIVE)
"""Results that are followed until they are closed."""
CHECKED = (NEGATIVE, SUSPECT, POSITIVE)
"""Results that count as screened: a spoilt sample and a refusal do not start an interval."""
CYTOLOGY, HPV = "cytology", "hpv"
"""`answers["method"]` of a cervical screening."""


@dataclass(frozen=True, slots=True)
class Test:
    """One thing that is tested. `discreet` ones are never named where others may read, and never called 确诊.

    `arrive_within` is in how many days a tracked resident should have reached the hospital, unless the county says
    otherwise; the norm leaves it open ("X days"), so it is a design decision [D].
    """

    code: str
    title: str
    discreet: bool = False
    arrive_within: int = 14

    @property
    def heading(self) -> str:
        """The title where anybody may see it."""
        return "专项检测" if self.discreet else self.title

    def words(self, result: int) -> str:
        """A result in words: a reaction to a first test is no diagnosis 待复检,不是确诊."""
        return "待复检" if self.discreet and result in TRACKED else RESULTS[result]


TESTS: Mapping[str, Test] = {
    test.code: test
    for test in (
        Test("cervical", "宫颈癌筛查"),
        Test("breast", "乳腺癌筛查"),
        Test("preconception", "孕前优生检查"),
        Test("premarital", "婚前医学检查"),
        Test("prenatal", "产前筛查", arrive_within=7),
        Test("newborn", "新生儿疾病筛查", arrive_within=7),
        Test("elderly", "老年人体检"),
        Test("gynaecology", "妇科病检查"),
        Test("hiv", "艾滋病检测", discreet=True),
        Test("syphilis", "梅毒检测", discreet=True),
        Test("hepatitis_b", "乙肝检测", discreet=True),
        Test("lung", "肺癌筛查"),
        Test("colorectal", "结直肠癌筛查", arrive_within=90),
        Test("upper_gi", "上消化道癌筛查", arrive_within=90),
        Test("liver", "肝癌筛查"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Whom a campaign is for. Ages are full years, `days` are days of life, `weeks` completed weeks of pregnancy; all inclusive.

    `groups` are population groups of the register, any of which will do; `programme` is one the resident is in.
    """

    sex: Literal["female", "male"] | None = None
    ages: tuple[int | None, int | None] = (None, None)
    days: tuple[int, int] | None = None
    groups: tuple[str, ...] = ()
    programme: str | None = None
    weeks: tuple[int, int] | None = None

    @property
    def is_open(self) -> bool:
        """No condition at all: everybody may come, and there is no list."""
        return self == Rule()

    def words(self) -> str:
        """女性 35-64岁."""
        low, high = self.ages
        age = f"{low}-{high}岁" if low is not None and high is not None else ""
        age = age or (f"{low}岁及以上" if low is not None else f"{high}岁及以下" if high is not None else "")
        parts = [
            "、".join(self.groups),
            "孕妇" if self.programme == "maternal" else "",
            f"孕{self.weeks[0]}-{self.weeks[1]}周" if self.weeks else "",
            {"female": "女性", "male": "男性"}.get(self.sex or "", ""),
            age,
            f"出生{self.days[0]}-{self.days[1]}天" if self.days else "",
        ]
        return " ".join(part for part in parts if part) or "全体居民"

    def to_json(self) -> dict[str, Any]:
        full: dict[str, Any] = {
            "sex": self.sex,
            "ages": list(self.ages) if self.ages != (None, None) else None,
            "days": list(self.days) if self.days else None,
            "groups": list(self.groups),
            "programme": self.programme,
            "weeks": list(self.weeks) if self.weeks else None,
        }
        return {name: value for name, value in full.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rule:
        low, high = data.get("ages") or (None, None)
        return cls(
            sex=data.get("sex"),
            ages=(low, high),
            days=_pair(data.get("days")),
            groups=tuple(data.get("groups", ())),
            programme=data.get("programme"),
            weeks=_pair(data.get("weeks")),
        )


def _pair(pair: Any) -> tuple[int, int] | None:
    return (int(pair[0]), int(pair[1])) if pair else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How long a test stands for: `months`, this `calendar` year, or this `pregnancy`; whoever has it is not invited.

    `method` narrows it to results of one method; `services` are records that count as the test too.
    """

    test: str
    months: int | None = None
    per: Literal["months", "calendar_year", "pregnancy"] = "months"
    method: str | None = None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of campaign. `rule` None: its ages differ from place to place and must be said; open: no list is made.

    `words` are how a line names it, the title first; `source` is where rule and interval come from.
    """

    code: str
    title: str
    words: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    rule: Rule | None = Rule()
    intervals: tuple[Interval, ...] = ()
    source: str = ""
    caution: str = ""
    """What the register cannot know and the doctor must ask."""
    ages: tuple[int | None, int | None] = (None, None)
    """Of a kind without a rule: what is known of the ages, to be shown beside the question."""


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            code="two_cancers",
            title="两癌筛查",
            words=("两癌", "两癌检查", "妇女两癌", "宫颈癌筛查", "乳腺癌筛查", "宫颈癌", "乳腺癌"),
            tests=("cervical", "breast"),
            rule=Rule(sex="female", ages=(35, 64)),
            intervals=(Interval(test="cervical", months=36), Interval(test="cervical", months=60, method=HPV)),
            source="宫颈癌、乳腺癌筛查工作方案 35-64岁[S:22];宫颈细胞学3年、HPV 5年一次[S:21]",
            caution="怀孕、月经期改期;全子宫切除的不做宫颈检查;需本人签同意书",
        ),
        Kind(
            code="preconception",
            title="孕前优生检查",
            words=("孕前优生", "孕前检查", "孕前优生健康检查", "优生检查", "优检", "孕检前"),
            tests=("preconception",),
            rule=Rule(groups=("计划怀孕", "备孕")),
            intervals=(Interval(test="preconception", per="pregnancy"),),
            source="计划怀孕夫妇,每孩次免费1次[S:24][S:25]",
            caution="夫妻双方都查;流动人口在居住地查",
        ),
        Kind(
            code="prenatal",
            title="产前筛查",
            words=("产筛", "唐筛", "无创筛查", "NT"),
            tests=("prenatal",),
            rule=Rule(programme="maternal", weeks=(11, 22)),
            intervals=(Interval(test="prenatal", per="pregnancy"),),
            source="NT 11-13周+6、血清15-20周+6、NIPT 12-22周+6[K]",
            caution="知情同意;孕周以超声为准",
        ),
        Kind(
            code="premarital",
            title="婚前医学检查",
            words=("婚检", "婚前检查", "免费婚检", "婚前体检"),
            tests=("premarital",),
            source="自愿、免费,登记结婚前[K]",
            caution="结果只当面告知本人,不告诉对方和家人",
        ),
        Kind(
            code="newborn",
            title="新生儿疾病筛查",
            words=("新生儿筛查", "新筛", "足跟血"),
            tests=("newborn",),
            rule=Rule(days=(3, 20)),
            intervals=(Interval(test="newborn", months=12),),
            source="出生72小时后、7天内采血,早产或患病最迟20天[S:53][K]",
        ),
        Kind(
            code="elderly_check",
            title="老年人体检",
            words=("老年人健康体检", "65岁以上体检", "老人体检", "老年体检", "65岁体检"),
            tests=("elderly",),
            rule=Rule(ages=(65, None)),
            intervals=(Interval(test="elderly", per="calendar_year", services=("elderly_check",)),),
            source="65岁及以上常住居民,每年1次[S:9]",
            caution="空腹来",
        ),
        Kind(
            code="low_income_gynaecology",
            title="困难妇女妇科检查",
            words=(
                "低保妇女妇科检查",
                "困难妇女妇科病检查",
                "妇科病检查",
                "妇科检查",
                "妇科病普查",
                "妇女病普查",
                "困难妇女",
            ),
            tests=("gynaecology",),
            rule=Rule(sex="female", groups=("低保", "特困", "困难")),
            source="低保、困难妇女免费妇科病检查及治疗[S:seed003];间隔由当地定",
        ),
        Kind(
            code="voluntary_testing",
            title="自愿咨询检测",
            words=("自愿检测", "VCT", "艾滋病自愿检测", "艾滋病检测", "HIV检测", "HIV筛查", "艾滋病筛查", "自愿咨询"),
            tests=("hiv", "syphilis", "hepatitis_b"),
            source="自愿、匿名、免费[S:39]",
            caution="匿名编号,不列名单;结果不公开、不告诉他人",
        ),
        Kind(
            code="lung_cancer",
            title="肺癌筛查",
            words=("肺癌", "肺癌早筛", "肺癌LDCT", "低剂量CT", "LDCT", "肺筛"),
            tests=("lung",),
            rule=None,
            ages=(50, None),
            intervals=(Interval(test="lung", months=12),),
            source="项目地区高危人群,50岁起,各地上限不同[K][AMBIG];每年1次[K]",
            caution="吸烟包年数、二手烟、职业、家族史请当面核对,高危的才做",
        ),
        Kind(
            code="colorectal_cancer",
            title="结直肠癌筛查",
            words=("大肠癌筛查", "肠癌筛查", "肠癌早筛", "结直肠癌", "大肠癌", "肠癌"),
            tests=("colorectal",),
            rule=None,
            ages=(None, 74),
            intervals=(Interval(test="colorectal", months=12),),
            source="40或45-74岁,问卷加FIT,每年1次[K],起始年龄由当地定",
        ),
        Kind(
            code="outreach_day",
            title="义诊活动日",
            words=("义诊日", "下乡义诊", "义诊活动", "巡回义诊", "义诊"),
            source="下乡义诊、送医送药[F1]",
        ),
        Kind(
            code="market_day",
            title="赶集日支援",
            words=("赶集日", "赶集", "赶场", "赶场日", "圩日", "赶圩", "集市义诊", "赶集日义诊", "赶集日坐诊"),
            source="强镇联乡,赶集日支援[F1]",
        ),
    )
}
"""Every kind of campaign, in the order it is offered."""


GROUPS = ("低保", "特困", "困难", "脱贫", "监测户", "计划怀孕", "备孕", "残疾人", "计生特殊家庭", "计划生育特殊家庭", "高血压", "糖尿病", "慢阻肺",
          "老年人", "孕产妇", "孕妇", "儿童")  # fmt: skip
"""Groups of the register a campaign may be for. Never tuberculosis, HIV or mental illness: a list would tell (promise 9)."""


# --- what the county settles ---

COUNTY_INTERVALS = {"campaign.breast_months": "breast", "campaign.gynaecology_months": "gynaecology"}
"""Settings that give a test an interval where the norm has none: months, none until the county says so."""


def standard_rule(kind: Kind, settings: Mapping[str, Any]) -> Rule | None:
    """The norm's rule, else the county's ages (`campaign.<kind>.age_from`, `.age_to`); None while they are to be said."""
    if kind.rule is not None:
        return kind.rule
    ages = [settings.get(f"campaign.{kind.code}.{end}") for end in ("age_from", "age_to")]
    if ages == [None, None]:
        return None
    low, high = (said if said is not None else known for said, known in zip(ages, kind.ages, strict=True))
    return Rule(ages=(None if low is None else int(low), None if high is None else int(high)))


def county_months(kind: Kind, settings: Mapping[str, Any]) -> dict[str, int]:
    """The months for which tests of a kind stand by the county's settings."""
    return {
        test: int(settings[name])
        for name, test in COUNTY_INTERVALS.items()
        if test in kind.tests and settings.get(name) is not None
    }


def intervals_of(kind: Kind, months: Mapping[str, int]) -> tuple[Interval, ...]:
    """All intervals of a kind: the norm's, and the county's."""
    return (*kind.intervals, *(Interval(test=test, months=number) for test, number in months.items()))
