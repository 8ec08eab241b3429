"""自愿咨询检测(VCT): counted without a person; a code and never a name, and a reaction is 待复检, never 确诊 (domain.md C).

Whoever comes by name has a screening result instead. Nothing here is about a resident, so no list can lead to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.form import Form
from handlers.forms.event import MOST, NOTE
from handlers.steps import Answer, Day, Found, Known, NotUnderstood, Number, SelectOne, Step, Text, options
from handlers.steps.base import TAKEN
from models.conversation import Doubt

MOST_CODES = 50
NO_NAMES = "匿名检测只写编号(字母和数字,例如 A012),不要写姓名、身份证号或电话。"
_CODE = r"[A-Za-z]{0,6}-?\d{1,10}[A-Za-z]?"
_WRITTEN = r"[A-Za-z\d-]*\d[A-Za-z\d-]*"
_PERSONAL = re.compile(r"1[3-9]\d{9}|\d{15,18}")
_SOME_REACT = re.compile(r"(?:有反应|初筛阳性|阳性|待复检|待复查)")
_COUNTED_REACT = re.compile(rf"(?<![\d.])(\d{{1,5}})\s?(?:个人|人次|人|个|例|名)(?:初筛)?{_SOME_REACT.pattern}")
_NUMBERED = re.compile(r"\d+\s?[人例个名]")


@dataclass(frozen=True, kw_only=True, eq=False)
class Codes(Step):
    """The codes of those tested, as a list; whatever could lead to a person is refused."""

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def read(self, text: str, known: Known) -> Answer:
        said = re.sub(r"^(?:编号|代码|代号)[\s::]*", "", text.strip())
        codes = re.split(r"[\s,,、;;]+", said.strip("。. "))
        if not all(re.fullmatch(_CODE, code) and not _PERSONAL.fullmatch(code) for code in codes):
            raise NotUnderstood(NO_NAMES)
        if len(codes) > MOST_CODES:
            raise NotUnderstood(f"一次最多{MOST_CODES}个编号,请分开记。")
        return Answer({self.field: list(dict.fromkeys(code.upper() for code in codes))})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """After 编号 only: a number standing alone may be anything."""
        for match in re.finditer(rf"(?:编号|代码|代号)[\s::是]*(?P<codes>{_WRITTEN}(?:[\s,、;]+{_WRITTEN})*)", line):
            yield Found(*match.span(), self.read_in_line(match["codes"], known), announced=True)
            return

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join(answers[self.field])


@dataclass(frozen=True, kw_only=True, eq=False)
class Reactive(Number):
    """How many reacted. 有反应 without a number is one where no number of people is told; of several it is asked."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        counted = [Found(*match.span(), Answer({self.field: int(match[1])})) for match in _COUNTED_REACT.finditer(line)]
        found = counted[:1] or list(super().find(line, known))
        yield from found
        for match in () if found else _SOME_REACT.finditer(line):
            one = not _NUMBERED.search(line.replace(TAKEN, ""))
            doubt = Doubt(f"“{match[0]}”的有几个人?请发数字。", [])
            yield Found(*match.span(), Answer({self.field: 1}) if one else Answer({}, doubt))
            return


KIND = SelectOne(
    field="kind",
    title="检测项目",
    ask="做的是哪一项检测?",
    words=("项目",),
    options=options(
        ("hiv", "艾滋病抗体", "艾滋病检测", "艾滋病", "艾滋", "HIV检测", "HIV"),
        ("syphilis", "梅毒", "梅毒检测"),
        ("hepatitis_b", "乙肝", "乙肝检测"),
        ("hepatitis_c", "丙肝", "丙肝检测"),
    ),
)
CODES = Codes(
    field="codes",
    title="编号",
    ask=f"编号是多少?待复检的有几个人就写几个,没编号可以跳过。{NO_NAMES}",
    optional=True,
    verbatim=True,
    calls=lambda known: bool(known.answers.get("reactive")) or known.answers.get("people") == 1,
)
PEOPLE = Number(
    field="people", title="检测人数", ask="一共检测了几个人?", words=("检测了", "检测", "一共", "共", "来了", "各"), unit="人",
    units={"人": 1, "个人": 1, "例": 1, "名": 1, "人次": 1}, unit_needed=True, possible=(1, MOST), sure=(1, 300), alone=("人", "个人", "人次"),
    apart=True, when=lambda known: "codes" not in known.answers or "people" in known.answers,
)  # fmt: skip
_REACTED = ("有反应", "初筛有反应", "初筛阳性", "阳性", "待复检", "待复查")
REACTIVE = Reactive(
    field="reactive", title="待复检人数", ask="其中初筛有反应、待复检的有几个人?没有发 0。", words=("待复检", "有反应", "初筛阳性", "阳性"), unit="人",
    units={f"{unit}{word}": 1 for unit in ("人", "个人", "个", "例") for word in ("", *_REACTED)}, possible=(0, MOST), sure=(0, 50),
    alone=tuple(f"{unit}{word}" for unit in ("人", "个人", "个", "例") for word in _REACTED),
    zero=("都是阴性", "都阴性", "均阴性", "全阴性", "全部阴性", "阴性", "都没反应", "没有反应", "无反应", "没有阳性", "没阳性"),
)  # fmt: skip
COUNSELLED = SelectOne(
    field="counselled",
    title="检测前后咨询",
    ask="检测前后的咨询都做了吗?",
    words=("咨询",),
    options=options((1, "做了", "都做了", "*已咨询", "*咨询做了"), (2, "没做", "没有做", "*没咨询")),
    asked=False,
)
REFERRED_TO = Text(
    field="referral_to", title="复检机构", ask="待复检的转到哪里确证?例如 县疾控。可以跳过。", words=("转到", "转往", "转去", "送到", "复检机构", "转"), optional=True,
    longest=40, like=r"[^\s,。;\d\ue010]{1,16}?(?:疾控中心|疾控|医院|卫生院|中心)", when=lambda known: bool(known.answers.get("reactive")),
)  # fmt: skip


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """One code is one person."""
    return {"people": len(answers["codes"])} if answers.get("codes") and "people" not in answers else {}


def check(known: Known) -> Doubt | None:
    """No more may react than were tested, and no more codes than people."""
    told = {**known.answers, **derive(known.answers, known)}
    people, reactive, codes = told.get("people"), told.get("reactive", 0), told.get("codes", ())
    if people is None:
        return None
    if reactive > people:
        return Doubt(f"检测{people:g}人,待复检{reactive:g}人,多了。请改一项,例如“检测5人”。", [])
    if len(codes) > people:
        return Doubt(f"检测{people:g}人,编号有{len(codes)}个,多了。请改一项,例如“检测{len(codes)}人”。", [])
    return None


def receipt(answers: Mapping[str, Any]) -> str:
    """What is done about a reaction, without a name."""
    if not answers.get("reactive"):
        return ""
    return "待复检不是确诊:凭编号转县疾控确证,结果只当面告诉本人,不登记姓名,不告诉任何人"


form = Form(
    code="voluntary_testing",
    title="自愿咨询检测",
    about="event",
    words=("自愿咨询检测", "自愿检测", "匿名检测", "匿名筛查", "VCT"),
    discreet=True,
    each="kind",
    steps=(
        Day(field="on", title="检测日期", words=("日期",), asked=False),
        KIND,
        PEOPLE,
        REACTIVE,
        CODES,
        REFERRED_TO,
        COUNSELLED,
        Text(field="place", title="检测地点", words=("地点",), asked=False, longest=40),
        NOTE,
    ),
    derive=derive,
    check=check,
    counts={"people": "voluntary_tested", "reactive": "voluntary_reactive"},
    receipt=receipt,
)
