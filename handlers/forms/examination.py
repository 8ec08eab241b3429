"""What a doctor looks at and a laboratory finds, as the norm's 健康体检表 has it: steps for every form that needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from handlers.measurements.pressure import BloodPressure
from handlers.steps import Answer, Found, Known, NotUnderstood, Number, SelectOne, Step, any_of, options
from models.conversation import Doubt
from models.message import Choice

NORMAL, ABNORMAL = 1, 2
_NORMAL = re.compile(
    r"(?:(?!.*(?:不|欠|但|余|除))[\u4e00-\u9fff、]{0,8})?(?:大致|基本)?(?:正常|未见(?:明显)?异常|无(?:明显)?异常|没(?:有)?(?:什么)?(?:问题|异常))的?"
    r"|好的|(?:正常)?窦性心律|窦律"
)
"""肝胆胰脾正常 and a sinus rhythm are normal; 不正常, and anything else, is a finding."""
_WORD_END = r"[^\s,。;\ue010]"


@dataclass(frozen=True, kw_only=True, eq=False)
class Exam(Step):
    """An examination: 1 正常, or 2 异常 with what was found in words (B超脂肪肝). Stores `<field>` and `<field>_what`."""

    coded: ClassVar[bool] = True

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, f"{self.field}_what")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return (Choice(f"{self.field}.1", "正常", "1"), Choice(f"{self.field}.2", "异常", "2"))

    def choose(self, code: str, known: Known) -> Answer:
        if code not in ("1", "2"):
            raise NotUnderstood(self.question(known))
        return Answer({self.field: int(code)})

    def read(self, text: str, known: Known) -> Answer:
        found = next(self.find(text, known), None)
        said = text.strip("。 ")
        if found or said in ("1", "2"):
            return found.answer if found else Answer({self.field: int(said)})
        if not said or len(said) > 60 or said.isdigit():
            raise NotUnderstood(f"{self.title}请写“正常”,或写查到什么,例如 脂肪肝。")
        return self._told(said)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in self._finder.finditer(line):
            yield Found(match.start(), match.end(), self._told(match["said"]), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        words = "正常" if answers[self.field] == NORMAL else "异常"
        what = answers.get(f"{self.field}_what")
        return f"{words}:{what}" if what else words

    def _told(self, said: str) -> Answer:
        if _NORMAL.fullmatch(said):
            return Answer({self.field: NORMAL})
        what = re.sub(r"^(?:异常|有异常|提示|示|有|见|查出|发现)[::]?", "", said)
        return Answer({self.field: ABNORMAL, **({f"{self.field}_what": what} if what else {})})

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        words = any_of((self.title, *self.words))
        return re.compile(rf"(?:{words})(?:检查|结果)?\s*[::是]?\s*(?P<said>(?!检查|结果){_WORD_END}{{1,30}})")


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherArm(BloodPressure):
    """The pressure of the other arm: `other_systolic`, `other_diastolic`. Only its own words announce it."""

    @property
    def fields(self) -> tuple[str, ...]:
        return ("other_systolic", "other_diastolic")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return "other_systolic" in answers

    def read(self, text: str, known: Known) -> Answer:
        return self._renamed(super().read(text, known))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _OTHER_ARM.finditer(line):
            found = next(super().find(match["pair"], known), None)
            if found is not None:
                yield Found(match.start(), match.end(), self._renamed(found.answer), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        return f"{answers['other_systolic']:g}/{answers['other_diastolic']:g} mmHg"

    def _renamed(self, answer: Answer) -> Answer:
        if answer.doubt is not None:
            options = [(label, self._other(values)) for label, values in answer.doubt.options]
            return Answer({}, Doubt(answer.doubt.ask, options))
        return Answer(self._other(answer.values))

    def _other(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {f"other_{name}": values[name] for name in ("systolic", "diastolic") if name in values}


_OTHER_ARM = re.compile(
    r"(?:另一[侧臂只边]|对侧|另一只手)(?:血压|手臂|上肢|臂)?[\s:是为]*(?P<pair>\d{2,3}\s*/\s*\d{2,3})"
)
OTHER_ARM = OtherArm(field="other_systolic", title="另一侧血压", words=("另一侧血压",), asked=False)


def laboratory(
    field: str, title: str, *words: str, unit: str, possible: tuple[float, float], decimals: int = 1, **more: Any
) -> Number:
    """A laboratory value in the norm's unit; announced by its own words only."""
    return Number(
        field=field, title=title, words=words, unit=unit, possible=possible, decimals=decimals, asked=False,
        **{"alone": (), **more},
    )  # fmt: skip


def grams_per_decilitre(value: float, known: Known) -> Doubt | None:
    """血红蛋白12.5 is 125 g/L in most laboratories' old unit; as g/L it would be deadly."""
    if value >= 25:
        return None
    ten = round(value * 10, 1)
    return Doubt(
        f"血红蛋白 {value:g},单位是 g/dL 还是 g/L?",
        [(f"{value:g} g/dL(即{ten:g} g/L)", {"haemoglobin": ten}), (f"{value:g} g/L(没错)", {"haemoglobin": value})],
    )


def milligrams_of_creatinine(value: float, known: Known) -> Doubt | None:
    """血肌酐1.2 is mg/dL; nobody lives with 1.2 μmol/L."""
    if value >= 15:
        return None
    micro = round(value * 88.4)
    return Doubt(
        f"血肌酐 {value:g} 是 mg/dL 吗?", [(f"是,即{micro} μmol/L", {"creatinine": micro}), ("不是,重新写", {})]
    )


HAEMOGLOBIN = laboratory(
    "haemoglobin", "血红蛋白", "Hb", "HGB", "血色素", unit="g/L", units={"g/l": 1, "g/dl": 10, "克/升": 1}, possible=(3, 250),
    suspect=grams_per_decilitre,
)  # fmt: skip
_COUNT = {"×10^9/l": 1, "*10^9/l": 1, "x10^9/l": 1, "×10⁹/l": 1}
WHITE_CELLS = laboratory(
    "white_cells", "白细胞", "WBC", unit="×10⁹/L", units=_COUNT, possible=(0.1, 500), sure=(1, 50), decimals=2
)
PLATELETS = laboratory(
    "platelets", "血小板", "PLT", unit="×10⁹/L", units=_COUNT, possible=(1, 3000), sure=(20, 900), decimals=0
)
ALT = laboratory("alt", "谷丙转氨酶", "ALT", "谷丙", unit="U/L", possible=(0, 10000), sure=(1, 1000))
AST = laboratory("ast", "谷草转氨酶", "AST", "谷草", unit="U/L", possible=(0, 10000), sure=(1, 1000))
BILIRUBIN = laboratory("total_bilirubin", "总胆红素", "TBIL", unit="μmol/L", possible=(0, 900), sure=(1, 300))
CREATININE = laboratory(
    "creatinine", "血肌酐", "肌酐", "Scr", "Cr", unit="μmol/L", units={"μmol/l": 1, "umol/l": 1, "mg/dl": 88.4},
    possible=(0.1, 3000), suspect=milligrams_of_creatinine,
)  # fmt: skip
UREA = laboratory("urea", "血尿素", "尿素氮", "尿素", "BUN", unit="mmol/L", possible=(0.3, 100), sure=(1, 50))
POTASSIUM = laboratory("potassium", "血钾", "钾", unit="mmol/L", possible=(1, 12), sure=(2.5, 6.5), decimals=2)
CHOLESTEROL = laboratory(
    "total_cholesterol", "总胆固醇", "胆固醇", "TC", unit="mmol/L", possible=(0.5, 40), sure=(1.5, 15), decimals=2
)
TRIGLYCERIDES = laboratory(
    "triglycerides", "甘油三酯", "TG", unit="mmol/L", possible=(0.1, 100), sure=(0.2, 20), decimals=2
)
LDL = laboratory("ldl", "低密度脂蛋白", "LDL-C", "LDL", unit="mmol/L", possible=(0.1, 40), sure=(0.3, 10), decimals=2)
HDL = laboratory("hdl", "高密度脂蛋白", "HDL-C", "HDL", unit="mmol/L", possible=(0.1, 10), sure=(0.2, 5), decimals=2)
MICROALBUMIN = laboratory("microalbumin", "尿微量白蛋白", "微量白蛋白", unit="mg/dL", possible=(0, 1000), sure=(0, 300))
OCCULT_BLOOD = SelectOne(
    field="occult_blood",
    title="大便潜血",
    words=("便潜血", "便隐血"),
    options=options((1, "阴性"), (2, "阳性")),
    asked=False,
    bare=(),
)
RESPIRATION = laboratory("respiration", "呼吸频率", "呼吸", unit="次/分", possible=(5, 80), sure=(8, 40), decimals=0)
_PLUSES = options(
    (0, "阴性", "-", "(-)", "正常"), (1, "±", "微量"), (2, "+", "1+", "一个加"), (3, "++", "2+", "两个加"), (4, "+++", "3+", "三个加"),
    (5, "++++", "4+", "四个加"),
)  # fmt: skip


def urine(field: str, title: str, *words: str) -> SelectOne:
    """A strip's reading; its words alone never announce it."""
    return SelectOne(field=field, title=title, words=words, options=_PLUSES, asked=False, bare=())


URINE = (
    urine("urine_protein", "尿蛋白"),
    urine("urine_glucose", "尿糖"),
    urine("urine_ketone", "尿酮体", "尿酮"),
    urine("urine_blood", "尿潜血", "潜血"),
)
ECG = Exam(field="ecg", title="心电图", words=("ECG", "心电"), asked=False)
ULTRASOUND = Exam(field="ultrasound", title="腹部B超", words=("B超", "b超", "彩超", "腹部彩超"), asked=False)
CHEST_X_RAY = Exam(field="chest_x_ray", title="胸片", words=("胸部X线", "X线", "DR"), asked=False)
