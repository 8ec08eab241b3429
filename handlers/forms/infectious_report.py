"""传染病报告: the village doctor's report to the township, with its 2-hour and 24-hour clocks (domain.md A13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.decisions import Findings
from handlers.form import Form
from handlers.forms.event import NOTE, Place, count
from handlers.forms.health_record import is_place
from handlers.infectious import begin_clock
from handlers.protocols import infectious
from handlers.protocols.infectious import DISEASES
from handlers.residents import looks_like_name
from handlers.steps import Answer, Day, Found, Known, SelectMany, SelectOne, Text, any_of, options
from handlers.turn import Turn
from models.message import Choice, mark_name
from models.record import Record

SHOWN = (40, 41, 43, 42, 10, 11, 13, 22, 5)
"""What is offered as buttons: what villages see, and clusters of unknown cause; any other is typed."""
OTHER = 99


@dataclass(frozen=True, kw_only=True, eq=False)
class DiseaseOf(SelectOne):
    """A disease of the law's list: the usual ones as buttons, all of them by their names."""

    def choices(self, known: Known) -> tuple[Choice, ...]:
        every = {choice.id: choice for choice in super().choices(known)}
        return tuple(
            Choice(every[f"{self.field}.{code}"].id, every[f"{self.field}.{code}"].label) for code in (*SHOWN, OTHER)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientName(Text):
    """A name that may be nobody's on the roster, and is masked like any other."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """After 病人, or a word that nothing else explains and that looks like a name."""
        announced = list(super().find(line, known))
        yield from announced
        for word in () if announced else _HAN.finditer(line):
            if looks_like_name(word[0]) and not is_place(word[0], known):
                yield Found(*word.span(), Answer({self.field: word[0]}), at_last=True)
                return

    def show(self, answers: Mapping[str, Any]) -> str:
        return mark_name(str(answers.get(self.field, "")))


_HAN = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])")

DISEASE = DiseaseOf(
    field="disease",
    title="病种",
    ask="是什么病?点一个,或直接写病名。",
    options=options(
        *((code, d.title, *d.words) for code, d in DISEASES.items()),
        (OTHER, "其他或不确定", "=其他", "不确定", "水痘", "带状疱疹", "疱疹性咽峡炎", "食物中毒"),
    ),
)
CASE_KIND = SelectOne(
    field="case_kind",
    title="病例分类",
    ask="是疑似,还是医院已经诊断?",
    words=("分类",),
    options=options(
        (1, "疑似", "疑似病例", "怀疑", "像是", "可能是"),
        (2, "医院临床诊断", "临床诊断", "医院诊断"),
        (3, "医院确诊", "确诊", "确诊病例", "化验确诊"),
        (4, "病原携带者", "携带者"),
    ),
)
PATIENT = PatientName(
    field="patient", title="病人姓名", ask="病人叫什么?(外来的也报)", words=("病人", "患者", "患儿", "姓名"), longest=20, verbatim=True,
    like=r"[\u4e00-\u9fff]{2,4}(?=[\s,。男女]|$)",
)  # fmt: skip
SYMPTOMS = SelectMany(
    field="symptoms",
    title="主要症状",
    none_code=0,
    asked=False,
    options=options(
        (0, "没有症状"), (1, "发热", "发烧"), (2, "皮疹", "出疹", "疱疹", "水泡"), (3, "腹泻", "拉肚子"), (4, "呕吐"), (5, "咳嗽"),
        (6, "黄疸", "眼睛黄"), (7, "抽搐"), (8, "腮腺肿大", "腮帮子肿"), (9, "其他", "=其他"),
    ),
)  # fmt: skip


def finish(turn: Turn, record: Record) -> None:
    """The clock runs from the notice: from now, or of an earlier day from its end."""
    begin_clock(turn, record, infectious.hours(Findings(record.on, record.answers, settings=turn.settings)))


BY_NAME = (
    "鼠疫", "霍乱", "二号病", "非典", "炭疽", "聚集性", "麻疹", "痢疾", "伤寒", "百日咳", "白喉", "新生儿破伤风", "猩红热", "布病", "狂犬病",
    "出血热", "登革热", "疟疾", "钩体病", "禽流感", "猴痘", "手足口", "腮腺炎", "诺如", "风疹", "红眼病", "水痘", "疱疹性咽峡炎", "食物中毒",
)  # fmt: skip
"""Named so, somebody has it now; a hepatitis, a tuberculosis or an influenza may be an old one, a test or a vaccine."""
SUSPECTED = r"(?:疑似|怀疑是?|像是?|可能是|发现|确诊为?|诊断为?|得了|染上|\d+例)"
TOGETHER = r"\d+个(?:学生|小学生|小孩|孩子|娃娃|娃|小朋友|村民|人|老人)[^,。;\d]{0,8}(?:发[高低]?[烧热]|高烧|疹|水泡|拉肚子|腹泻|呕吐|上吐下泻|黄疸)"
"""Several people with the same signs: perhaps an outbreak, whatever it is."""
CASES = {
    "例": 1,
    **{f"个{who}": 1 for who in ("病人", "病例", "学生", "小孩", "孩子", "娃", "娃娃", "小朋友", "村民", "老人")},
}
PEOPLE = {"人": 1, "个人": 1, "名": 1}

form = Form(
    code="infectious_report",
    title="传染病报告",
    about="event",
    words=("传染病报告", "报传染病", "传染病", "报卡", "疫情报告", "报疫情"),
    hints=BY_NAME,
    hinting=rf"{SUSPECTED}\s?(?:{any_of(word for d in DISEASES.values() for word in (d.title, *d.words))})|{TOGETHER}",
    protocol=infectious.protocol,
    alarm="infectious_report",
    steps=(
        Day(field="on", title="发现日期", words=("发现日期", "日期"), asked=False),
        DISEASE,
        CASE_KIND,
        PATIENT,
        Text(field="patient_about", title="性别年龄", words=("性别年龄",), asked=False, longest=20, by_itself=True,
             like=r"[男女]?\s*\d{1,3}\s*(?:岁|个?月(?:龄|大)?)|[男女](?=[\s,])"),
        Day(field="onset_on", title="发病日期", words=("发病", "发病日期", "起病"), after=("发病", "起病", "开始"), bare=False, asked=False),
        Place(field="place", title="现住地点", ask="病人住在哪里?", words=("住", "住在", "地点", "地址")),
        replace(
            count("cases", "病例数", "一共", "共", "病例", "小学", "幼儿园", "学校", "班里", "班上", "村里", "组里", "村小", "家里", "院子里", "寨子里", unit="例"), units=CASES | PEOPLE, alone=tuple(CASES),
            unit_needed=True,
        ),
        SYMPTOMS,
        Text(field="school", title="学校或单位", words=("学校", "单位", "幼儿园"), asked=False, longest=40),
        Text(field="contacts", title="密切接触者", words=("密接", "接触者"), asked=False),
        NOTE,
    ),
    finish=finish,
    receipt=lambda answers: "请在时限内得到卫生院的确认",
)  # fmt: skip
