"""Units of the village turned into the norm's, each with the sentence that echoes the conversion.

Which unit was meant is for the person to say; nothing here guesses it from the size of a number.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple


class Converted(NamedTuple):
    """A value in the norm's unit, and what was done, to be shown before it is stored."""

    value: float | int
    unit: str
    said: str


CM_PER_CHI = Decimal(100) / 3  # 1 尺 = 1/3 m: 2.7 尺 are 90 cm
MG_DL_PER_MMOL_L = Decimal(18)  # glucose
MMHG_PER_KPA = Decimal("7.50062")

# 日饮酒量 is told in 两 of spirit: 白酒1两 = 葡萄酒4两 = 黄酒半斤 = 啤酒1瓶 = 果酒4两 (follow-up form, domain A0).
# 米酒, 药酒 and beer in cans are not in the norm and are asked.
_LIANG_FOR_ONE = {"白酒": 1, "葡萄酒": 4, "红酒": 4, "果酒": 4, "黄酒": 5}
DRINKS = (*_LIANG_FOR_ONE, "啤酒")


def round_half_up(value: Decimal | float | int, places: int = 0) -> float | int:
    """Half is rounded up, as people do it on paper (2.5 is 3, 6.95 is 7.0)."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return int(rounded) if places == 0 else float(rounded)


def _exact(value: float | int) -> Decimal:
    return Decimal(str(value))


def _plain(value: Decimal | float | int) -> float | int:
    number = float(value)
    return int(number) if number.is_integer() else number


def jin_to_kg(jin: float | int) -> Converted:
    kg = _plain(round_half_up(_exact(jin) / 2, 2))
    return Converted(kg, "kg", f"{_plain(jin)}斤 ÷ 2 = {kg}公斤")


def jin_to_g(jin: float | int) -> Converted:
    g = _plain(round_half_up(_exact(jin) * 500, 1))
    return Converted(g, "g", f"{_plain(jin)}斤 × 500 = {g}克")


def liang_to_g(liang: float | int) -> Converted:
    g = _plain(round_half_up(_exact(liang) * 50, 1))
    return Converted(g, "g", f"{_plain(liang)}两 × 50 = {g}克")


def chi_to_cm(chi: float | int) -> Converted:
    cm = _plain(round_half_up(_exact(chi) * CM_PER_CHI))
    return Converted(cm, "cm", f"{_plain(chi)}尺 × 33.3 ≈ {cm}厘米")


def mg_dl_to_mmol_l(mg_dl: float | int) -> Converted:
    """Glucose; rounded to one decimal, and the rounded value is the one that is classified."""
    mmol = round_half_up(_exact(mg_dl) / MG_DL_PER_MMOL_L, 1)
    return Converted(mmol, "mmol/L", f"{_plain(mg_dl)} mg/dL ÷ 18 = {mmol} mmol/L")


def kpa_to_mmhg(kpa: float | int) -> Converted:
    mmhg = round_half_up(_exact(kpa) * MMHG_PER_KPA)
    return Converted(mmhg, "mmHg", f"{_plain(kpa)} kPa × 7.5 ≈ {mmhg} mmHg")


def drink_to_spirit(drink: str, amount: float | int, measure: str) -> Converted | None:
    """Drink in 两 of spirit; None where the norm has no equivalent (米酒, 药酒, 啤酒 not in 瓶), which is asked.

    >>> drink_to_spirit("红酒", 4, "两").said
    '红酒4两 = 白酒1两'
    """
    if drink == "啤酒":
        liang = _exact(amount) if measure == "瓶" else None
    elif drink in _LIANG_FOR_ONE and measure in {"两", "斤"}:
        liang = _exact(amount) * (10 if measure == "斤" else 1) / _LIANG_FOR_ONE[drink]
    else:
        liang = None
    if liang is None:
        return None
    value = _plain(round_half_up(liang, 1))
    return Converted(value, "两", f"{drink}{_plain(amount)}{measure} = 白酒{value}两")
