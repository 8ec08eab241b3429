"""Critical values of the laboratory and the electrocardiogram, told the township the same day. 危急值

The list of domain.md A6, to be confirmed with the county's laboratory. g/L, 10⁹/L, U/L, μmol/L, mmol/L.
"""

from __future__ import annotations

from collections.abc import Callable

from handlers.decisions import Findings, Rule, Setting
from handlers.protocols.common import emergency
from handlers.protocols.findings import above, before, below, number, setting

CRITICAL = "规范(第三版)·健康体检表(危急值) / domain.md A6"
LABORATORY_SETTINGS = {
    "elderly.alt_critical": Setting(200, "谷丙转氨酶危急值 U/L(正常上限40的5倍,按本地检验科改)", "[K],上限 [D]"),
}


def baseline_creatinine(f: Findings) -> float | None:
    """The last earlier value."""
    values = (number(visit.answers.get("creatinine")) for visit in before(f))
    return next((value for value in values if value), None)


def kidney_failing(f: Findings) -> bool:
    now, earlier = number(f.get("creatinine")), baseline_creatinine(f)
    return now is not None and (now >= 442 or (earlier is not None and now >= 2 * earlier))


def critical_laboratory(f: Findings) -> bool:
    return any(rule.when(f) for rule in LABORATORY)


def ecg_critical(f: Findings) -> bool:
    return any(code != 0 for code in f.get("ecg_critical") or ())


def critical(id: str, because: str, when: Callable[[Findings], bool], say: str) -> Rule:
    """A critical value: the same day, certainty as in domain.md."""
    return Rule(id, when, emergency(say), because, CRITICAL, "[K],请检验科确认")


LABORATORY = (
    critical(
        "ELD-12",
        "血红蛋白低于60 g/L({haemoglobin})",
        lambda f: below(f, "haemoglobin", 60),
        "今天就转诊:重度贫血,不要走动劳累,联系乡镇卫生院送县医院;心慌气促就打120。",
    ),
    critical(
        "ELD-13",
        "血小板低于30×10⁹/L({platelets})",
        lambda f: below(f, "platelets", 30),
        "马上紧急转诊:血小板极低,卧床、别磕碰、不打针,有出血或头痛打120。",
    ),
    critical(
        "ELD-14",
        "血小板低于50×10⁹/L({platelets})",
        lambda f: below(f, "platelets", 50) and not below(f, "platelets", 30),
        "今天就联系乡镇卫生院转诊:血小板低,避免磕碰,不用阿司匹林,查出血点。",
    ),
    critical(
        "ELD-15",
        "白细胞低于2.0或高于30×10⁹/L({white_cells})",
        lambda f: below(f, "white_cells", 2.0) or above(f, "white_cells", 30),
        "今天就联系乡镇卫生院转诊:白细胞危急值,量体温,发热马上送。",
    ),
    critical(
        "ELD-16",
        "谷丙转氨酶高于正常上限的5倍({alt})",
        lambda f: above(f, "alt", setting(f, LABORATORY_SETTINGS, "elderly.alt_critical")),
        "今天就联系乡镇卫生院转诊:肝功能危急值,停用可疑伤肝的药,问有没有眼黄尿黄。",
    ),
    critical(
        "ELD-17",
        "血肌酐达到442 μmol/L,或达到上次的2倍({creatinine},上次{creatinine_before})",
        kidney_failing,
        "今天就联系乡镇卫生院转诊:肾功能危急值,问尿量,停用伤肾的药。",
    ),
    critical(
        "ELD-18",
        "血钾低于2.8或高于6.2 mmol/L({potassium})",
        lambda f: below(f, "potassium", 2.8) or above(f, "potassium", 6.2),
        "马上紧急转诊:血钾危急值随时会心律失常,不要走动,有胸闷心慌打120。",
    ),
    critical(
        "ELD-19",
        "心电图危急:ST段抬高、二度II型或三度房室传导阻滞、室速、快速房颤、长间歇",
        ecg_critical,
        "马上打120:心电图危急,让老人卧床不动,有人守着,同时告诉乡镇卫生院。",
    ),
)
