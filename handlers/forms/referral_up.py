"""双向转诊单(存根): a resident sent to a hospital; the loop asks on until it is closed (domain.md A0, A1, F1 上转)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.form import Form
from handlers.forms import common
from handlers.forms.danger import in_danger
from handlers.protocols import referral
from handlers.steps import Answer, Day, Found, Known, NotUnderstood, SelectOne, Text, options
from models.message import Choice

HOSPITALS = ("乡镇卫生院", "县人民医院", "县中医院", "县妇幼保健院")
_PLACE = r"(?!单|[转送](?=[县市省上])|(?:转诊|转到|转往|转去|送到|送往|送去|去)[到至]?)[^\s,。;\d\ue010]{0,14}?(?:医院|卫生院|保健院|疾控中心|疾控|急诊|中心)(?:[^\s,。;\d\ue010]{1,8}科|急诊)?"


@dataclass(frozen=True, kw_only=True, eq=False)
class Hospital(Text):
    """An institution and department in words; the county's own list as buttons (`referral.hospitals`)."""

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(Choice(f"{self.field}.{n}", name) for n, name in enumerate(self._names(known)))

    def choose(self, code: str, known: Known) -> Answer:
        names = self._names(known)
        if not code.isdigit() or int(code) >= len(names):
            raise NotUnderstood(self.question(known))
        return Answer({self.field: names[int(code)]})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """A name of the county's list counts wherever it stands."""
        found = list(super().find(line, known))
        yield from found
        for name in () if found else self._names(known):
            if (start := line.find(name)) >= 0:
                yield Found(start, start + len(name), Answer({self.field: name}))
                return

    def _names(self, known: Known) -> tuple[str, ...]:
        return tuple(known.settings.get("referral.hospitals", HOSPITALS))[:8]


TO = Hospital(
    field="referral_to", title="转往医院和科室", ask="转到哪里?点一个,或直接写医院和科室。", longest=60, by_itself=True, like=_PLACE,
    words=("转诊机构", "已转诊到", "转诊到", "已转诊", "转诊", "送往", "已转到", "转到", "已转", "转诊至", "转往", "转去", "送到", "送去", "去"),
)  # fmt: skip
REASON = Text(
    field="referral_reason", title="转诊原因", ask="为什么转诊?一句话,例如:血压两次控制不好。", words=("转诊原因", "原因", "因为"), longest=200,
    like=r"[^\s,。;\d\ue010][^,。;\ue010]{1,60}",
)  # fmt: skip
URGENCY = SelectOne(
    field="referral_urgency",
    title="缓急",
    ask="急不急?",
    words=("缓急",),
    options=options(
        (referral.URGENT, "紧急,马上送", "紧急", "急诊", "急转", "马上送", "120", "叫救护车"),
        (referral.ORDINARY, "一般", "不急", "=一般", "~不急", "预约去", "慢慢去"),
    ),
)
IMPRESSION = Text(field="impression", title="初步印象", words=("初步印象", "印象", "考虑"), asked=False)
ILLNESS = Text(field="present_illness", title="主要现病史", words=("现病史",), asked=False)
PAST_ILLNESS = Text(field="past_history", title="主要既往史", words=("既往史",), asked=False)
TREATED = Text(field="treatment", title="治疗经过", words=("治疗经过", "已用药"), asked=False)
SUSPECTED = SelectOne(
    field="suspected_tb",
    title="可疑肺结核",
    options=options((1, "不是"), (2, "是,咳嗽咳痰满两周、咯血或痰中带血", "*疑似肺结核", "*可疑肺结核")),
    asked=False,
)
DANGER = SelectOne(
    field="danger", title="危急情况", options=options((1, "没有", "*没有危急情况"), (2, "有,先打120")), asked=False
)
_NOT = r"(?<![没无未非不])(?<!没有)(?<!否认)"
_WEEKS = r"(?:[2-9]|1\d|[两二三四五六七八九十几])\s*(?:多?周|个?多?星期)"
_MONTHS = r"(?:半个?月|(?:\d|[一两二三四五六几])\s*个?多?月)"
_SUSPICIOUS = re.compile(
    rf"(?:疑似|可疑|怀疑|排除|排查|查|筛查)肺?结核|{_NOT}(?:咯血|血痰|痰[中里]带血|咳血)|{_NOT}咳[^,。;]{{0,6}}(?:{_WEEKS}|{_MONTHS})"
)


def read_from_reason(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """What the reason says, shown in the recap and changed there: danger, and suspected tuberculosis.

    Cough for two weeks, or blood, is a suspicion (domain.md A4), unless it is being treated already.
    """
    reason = " ".join(str(answers.get(name, "")) for name in ("referral_reason", "present_illness", "impression"))
    found: dict[str, Any] = {}
    if "danger" not in answers and in_danger(reason, known):
        found["danger"] = 2
    if "suspected_tb" not in answers and "tb" not in known.programmes and _SUSPICIOUS.search(reason):
        found["suspected_tb"] = 2
    return found


RECEIVING_DOCTOR = Text(field="receiving_doctor", title="接诊医生", words=("接诊医生",), asked=False, longest=20)

form = Form(
    code="referral_up",
    title="上转",
    about="resident",
    hints=("转诊", "转往", "送往", "转县", "送县", "转市", "转上级", "送上级"),
    words=("双向转诊", "转诊单", "开转诊", "办转诊", "上转"),
    shows=("referral_to", "referral_reason"),
    protocol=referral.protocol,
    steps=(
        Day(field="on", title="转诊日期", words=("日期", "转诊日期"), asked=False),
        TO,
        REASON,
        URGENCY,
        IMPRESSION,
        ILLNESS,
        PAST_ILLNESS,
        TREATED,
        RECEIVING_DOCTOR,
        SUSPECTED,
        DANGER,
        common.NEXT,
    ),
    enrols="never",
    derive=read_from_reason,
    rest="referral_reason",
)
