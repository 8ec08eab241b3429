"""免费筛查结果: what a free test found, who was told, and where the person is sent (domain.md C, M-22)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from handlers.decisions import Decision, Findings
from handlers.form import Form
from handlers.forms import common
from handlers.forms.event import NOTE
from handlers.protocols import screening as protocol
from handlers.steps import Answer, Day, Found, Known, Number, SelectMany, SelectOne, Text, options
from handlers.turn import Turn
from models.conversation import Doubt
from models.record import Record
from models.screening import CHECKED, CYTOLOGY, HPV, KINDS, RESULTS, TESTS, Rule
from models.screening_results import note_result

WORDS = {
    "cervical": ("宫颈癌", "宫颈", "TCT", "HPV", "宫颈筛查"),
    "breast": ("乳腺癌", "乳腺", "乳腺彩超", "BI-RADS", "BIRADS", "乳腺筛查"),
    "preconception": ("孕前优生", "孕前检查", "优生检查", "优检"),
    "premarital": ("婚检", "婚前检查", "婚前体检"),
    "prenatal": ("产筛", "唐筛", "唐氏筛查", "无创", "NIPT", "产前筛查"),
    "newborn": ("新生儿筛查", "新筛", "足跟血", "新生儿疾病筛查"),
    "elderly": ("老年人体检结果",),
    "gynaecology": ("妇科检查", "妇科病检查", "妇科"),
    "hiv": ("艾滋病检测", "HIV", "艾滋", "HIV检测"),
    "syphilis": ("梅毒检测", "梅毒"),
    "hepatitis_b": ("乙肝检测", "乙肝"),
    "lung": ("肺癌", "低剂量CT", "LDCT"),
    "colorectal": ("结直肠癌", "肠癌", "FIT", "便隐血", "大便隐血"),
    "upper_gi": ("上消化道癌", "食管癌", "胃癌筛查", "胃镜筛查"),
    "liver": ("肝癌", "肝癌筛查"),
}


def of(*kinds: str) -> Callable[[Known], bool]:
    """A finding that belongs to these tests, and to a test that took place."""
    return lambda known: known.answers.get("kind") in kinds and took_place(known)


def took_place(known: Known) -> bool:
    return "postponed" not in known.answers


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(SelectOne):
    """A reaction to a discreet test is shown as 待复检, never as 阳性 or 确诊."""

    def show(self, answers: Mapping[str, Any]) -> str:
        test = TESTS.get(str(answers.get("kind")))
        return test.words(answers[self.field]) if test else super().show(answers)

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        return {self.field: self.show(answers)} if self.field in answers else {}


_BOTH = re.compile(
    r"两癌(?=(?:筛查|检查)?[\s:,]*(?:都|全|均|今天|已经|已|这次)?(?:做|查|检(?!率)|没|未|改|正常|阴|结果|可疑|阳|拒))"
)
"""Both of them, where they were done, put off or found something; 两癌到检率 is no test."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind(SelectOne):
    """HPV and BI-RADS tell the test as well as its finding: the words are left for the steps of the finding to read."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        found_any = False
        for found in super().find(line, known):
            found_any = True
            yield found
            if found.answer.values:
                yield Found(found.start, found.start, found.answer, announced=True)
        if not found_any and (both := _BOTH.search(line)):
            yield Found(*both.span(), Answer({self.field: "cervical"}))
            yield Found(both.start(), both.start(), Answer({self.field: "breast"}))


@dataclass(frozen=True, kw_only=True, eq=False)
class Method(SelectOne):
    """HPV阴性 tells the test as well: its words are left for the result to read."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for found in super().find(line, known):
            yield Found(found.start, found.start, found.answer, announced=True)


KIND = Kind(
    field="kind", title="筛查项目", ask="是哪一项筛查的结果?", words=("项目",),
    options=options(*((code, test.title, *WORDS[code]) for code, test in TESTS.items())),
)  # fmt: skip
RESULT = Result(
    field="result",
    title="筛查结果",
    ask="结果是什么?",
    words=("结果", "HPV", "TCT", "FIT", "便隐血"),
    options=options(
        (1, RESULTS[1], "~正常", "都正常", "均正常", "全正常", "未见异常", "=阴", "没问题", "低风险"),
        (2, RESULTS[2], "可疑", "待复查", "~异常", "要复查", "需复查", "有反应", "待复检"),
        (3, RESULTS[3], "=阳", "高风险", "~高危"),
        (4, RESULTS[4], "样本不合格", "没采好", "要重采"),
        (5, RESULTS[5], "拒检", "不愿做", "不肯做", "不做"),
    ),
    when=took_place,
)
POSTPONED = SelectOne(
    field="postponed", title="改期原因", words=("改期",), asked=False,
    options=options(
        (1, "月经期", "*月经期", "*来例假", "*例假", "*来月经", "*月经没干净"), (2, "妊娠期", "*怀孕不能做", "*孕期不能做"), (3, "没来", "*没来", "没到场"), (4, "其他", "*没做成", "*改天再做")
    ),
)  # fmt: skip
METHOD = Method(
    field="method", title="宫颈检查方法", ask="宫颈做的是哪一种?", words=("方法",), options=options((CYTOLOGY, "细胞学(TCT)", "TCT", "细胞学", "液基"), (HPV, "HPV检测", "HPV")),
    when=lambda known: of("cervical")(known) and not known.answers.keys() & {"hpv_type", "tbs"},  # the finding says it
)  # fmt: skip
HPV_TYPE = SelectOne(
    field="hpv_type", title="HPV分型", words=("HPV",), asked=False, when=of("cervical"),
    options=options((1, "阴性"), (2, "16/18型阳性", "16阳性", "18阳性", "16型", "18型", "16型阳性", "18型阳性", "16/18"), (3, "其他高危型阳性", "其他型阳性", "其他高危", "52型", "58型", "52阳性", "58阳性")),
)  # fmt: skip
TBS = SelectOne(
    field="tbs", title="TBS分类", words=("TBS", "TCT"), asked=False, when=of("cervical"),
    # 癌 alone is half of 两癌
    options=options((1, "未见上皮内病变", "*NILM", "阴性"), (2, "ASC-US", "*ASC-US", "*ASCUS"), (3, "ASC-H", "*ASC-H", "*ASCH"), (4, "LSIL", "*LSIL", "*低度病变"), (5, "HSIL", "*HSIL", "*高度病变"), (6, "AGC"), (7, "癌", "*鳞癌", "*腺癌", "*癌细胞")),
)  # fmt: skip
BIRADS = Number(
    field="birads", title="BI-RADS分类", ask="乳腺 BI-RADS 几类?(0到6)", words=("BI-RADS", "BIRADS", "BI-RADS分类", "乳腺"), unit="类", units={"类": 1, "级": 1},
    possible=(0, 6), alone=("类",), when=of("breast"),
)  # fmt: skip
CONSENT = SelectOne(
    field="consent", title="知情同意", asked=False,
    options=options((1, "已签", "*签了同意书", "*签了知情同意"), (2, "未签")),
)  # fmt: skip
HYSTERECTOMY = SelectOne(
    field="hysterectomy", title="全子宫切除", words=("子宫切除",), asked=False, when=of("cervical"),
    options=options((1, "没有"), (2, "全子宫切除", "*全子宫切除", "*子宫全切", "*切除子宫", "*子宫切了")),
)  # fmt: skip
BOTH, ONE, COMPLETED = 1, 2, 3
COUPLE = SelectOne(
    field="couple", title="夫妻双方", ask="夫妻双方都查了吗?(一对只记在女方名下)", options=options(
        (1, "都查了", "夫妻都查", "两个都查", "双方都查"), (2, "只查一方", "只查了一个", "只女方", "只男方"), (3, "另一方补查,凑成一对", "补查", "另一方补查")
    ),
    when=of("preconception"),
)  # fmt: skip
RISK = SelectOne(
    field="risk", title="孕前风险评估", words=("风险评估",), asked=False, when=of("preconception"),
    options=options((1, "一般人群", "*一般人群"), (2, "风险人群", "*风险人群", "高风险人群")),
)  # fmt: skip
PRENATAL_METHOD = SelectOne(
    field="prenatal_method", title="产前筛查方法", words=("产筛方法",), asked=False, when=of("prenatal"),
    options=options((1, "NT"), (2, "血清学", "唐筛", "血清"), (3, "无创(NIPT)", "无创", "NIPT")),
)  # fmt: skip
HEARING = common.coded("hearing", "听力筛查", (1, "通过", "正常"), (2, "未通过", "没通过", "没过"), (3, "未筛"), words=("听力", "听力筛查"), when=of("newborn"))  # fmt: skip
ITEMS = SelectMany(
    field="newborn_items", title="新生儿筛查项目", words=("筛查项目",), none_code="", asked=False, when=of("newborn"),
    options=options((1, "苯丙酮尿症", "PKU"), (2, "先天性甲低", "甲低", "CH"), (3, "G6PD", "蚕豆病"), (4, "先天性肾上腺皮质增生", "CAH"), (5, "先天性心脏病", "先心病")),
)  # fmt: skip


def one_in(field: str, title: str, *words: str) -> Number:
    """A risk written as 1/270 or 1:270; the number after the stroke is kept."""
    return Number(
        field=field,
        title=title,
        words=tuple(f"{word}{stroke}" for word in words for stroke in ("1/", "1:", "1比")),
        possible=(1, 100_000),
        alone=(),
        asked=False,
        when=of("prenatal"),
    )


def on_day(field: str, title: str, *words: str) -> Day:
    return Day(field=field, title=title, words=(title, *words), bare=False, asked=False)


def check(known: Known) -> Doubt | None:
    """A contradiction between finding and result, and whoever the test is not for (M-22); both are the doctor's to settle."""
    answers = known.answers
    if "kind" not in answers or "result_checked" in answers:
        return None
    settle = {"result_checked": 1}
    if answers.get("result") == 1 and protocol.abnormal(Findings(known.on, answers)):
        return Doubt(
            "检查有异常,结果却是阴性,是哪一个?",
            [("可疑/待复查", {"result": 2, **settle}), ("阳性", {"result": 3, **settle}), ("就是阴性", settle)],
        )
    if why := _not_for(known):
        return Doubt(f"{why}。还要记吗?不记请发“取消”。", [("照记", settle)])
    return None


def _not_for(known: Known) -> str:
    answers, test = known.answers, TESTS[known.answers["kind"]]
    rule = _rule(test.code)
    low, high = rule.ages
    if answers.get("hysterectomy") == 2:
        return "全子宫切除后不做宫颈癌筛查"
    if rule.sex and known.sex and rule.sex != known.sex:
        return f"{test.heading}是{'妇女' if rule.sex == 'female' else '男性'}的项目,这位登记的性别不同"
    if known.age is not None and ((low is not None and known.age < low) or (high is not None and known.age > high)):
        return f"{test.heading}免费的是{rule.words()},这位{known.age}岁"
    if (checked := _checked_already(known, test.code)) is not None:
        return f"{checked}查过孕前优生,每孩次免费一次"
    if earlier := _too_soon(known, test.code):
        return f"上次{test.heading}是{earlier},还没到免费间隔"
    return ""


EACH_PREGNANCY = 270  # days; sooner than that there has been no other pregnancy [D]


def _checked_already(known: Known, test: str) -> date | None:
    """The day of a pre-conception check of the same couple's same child; the other half of a couple may still come."""
    if test != "preconception" or known.answers.get("couple") == COMPLETED:
        return None
    days = [
        visit.on
        for visit in known.past()
        if visit.answers.get("kind") == test and visit.answers.get("result") in CHECKED and visit.on < known.on
    ]
    return max((day for day in days if (known.on - day).days < EACH_PREGNANCY), default=None)


def _rule(test: str) -> Rule:
    return next((kind.rule for kind in KINDS.values() if test in kind.tests and kind.rule is not None), Rule())


def _too_soon(known: Known, test: str) -> date | None:
    """The day of the last one within its interval; a result that is being followed is no new round (M-22)."""
    intervals = [i for kind in KINDS.values() for i in kind.intervals if i.test == test and i.months]
    months = min((i.months or 0 for i in intervals if i.method in (None, known.answers.get("method"))), default=0)
    for visit in known.past():
        if visit.answers.get("kind") == test and visit.on < known.on:
            recent = (known.on - visit.on).days < months * 30
            return visit.on if recent and visit.answers.get("result") == 1 else None
    return None


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """A finding tells how it was found."""
    if "hpv_type" in answers:
        return {"method": HPV}
    return {"method": CYTOLOGY} if "tbs" in answers else {}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """People who were screened, each once a year whatever they were screened for."""
    if answers.get("result") not in CHECKED:
        return []
    of_kind = {
        "cervical": "two_cancer_screened",
        "breast": "two_cancer_screened",
        "prenatal": "prenatal_screened",
        "newborn": "newborns_screened",
    }
    measure = of_kind.get(str(answers.get("kind")))
    return [f"person.{measure}"] if measure else []


def measures(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    """Pre-conception checks in couples and in people: a pair counts once, when its second half has been checked."""
    if answers.get("kind") != "preconception" or answers.get("result") not in CHECKED:
        return {}
    people = 2 if answers.get("couple") == BOTH else 1
    pair = {"preconception_couples": 1} if answers.get("couple") in (BOTH, COMPLETED) else {}
    return {"preconception_people": people, **pair}


def finish(turn: Turn, record: Record) -> None:
    """Into its campaign, and followed to the end where it has to be; one that did not take place leaves no result."""
    if "result" in record.answers:
        note_result(turn.session, record)


form = Form(
    code="screening_result",
    title="免费筛查结果",
    about="resident",
    words=("免费筛查结果", "筛查结果", "检查结果", "两癌筛查", "两癌检查", "两癌", "两癌没做", "两癌没查", "两癌改期", "唐筛", "产筛", "新筛", "婚检", "优检", "艾滋梅毒乙肝", "三病检测", "三病筛查", *(word for words in WORDS.values() for word in words if len(word) > 2)),
    yields_to=("referral_up", "voluntary_testing"),
    each="kind",
    protocol=protocol.protocol,
    check=check,
    derive=derive,
    marks=marks,
    measures=measures,
    finish=finish,
    steps=(
        Day(field="on", title="检查日期", words=("日期",), asked=False),
        KIND,
        POSTPONED,
        METHOD,
        BIRADS,
        RESULT,
        COUPLE,
        HPV_TYPE,
        TBS,
        one_in("t21_one_in", "21三体风险(1比几)", "21三体", "T21", "唐氏风险"),
        one_in("t18_one_in", "18三体风险(1比几)", "18三体", "T18"),
        PRENATAL_METHOD,
        ITEMS,
        HEARING,
        RISK,
        HYSTERECTOMY,
        CONSENT,
        Text(field="sample_number", title="样本号", words=("样本号", "条码号", "编号"), asked=False, longest=30),
        Text(field="place", title="检查地点", words=("检查地点", "在哪里查"), asked=False, longest=40),
        Text(field="examiner", title="检查人员", words=("检查人员", "检查医生"), asked=False, longest=20),
        Number(field="nodule_mm", title="结节大小", words=("结节",), unit="毫米", units={"毫米": 1, "mm": 1, "厘米": 10, "cm": 10}, unit_needed=True,
               possible=(0.5, 100), sure=(1, 60), decimals=1, alone=(), asked=False, when=of("lung")),
        on_day("informed_on", "告知日期", "告知"),
        common.coded("informed_how", "告知方式", (1, "当面"), (2, "电话"), (3, "其他"), words=("告知方式",)),
        on_day("arrived_on", "到院日期", "到院"),
        Text(field="diagnosis", title="诊断", words=("诊断", "病理"), asked=False, longest=60),
        on_day("closed_on", "结案日期", "结案"),
        common.REFERRAL_TO,
        NOTE,
        common.NEXT,
    ),
)  # fmt: skip
