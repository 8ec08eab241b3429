"""Words of services that have no form yet. A pressure in such a line is not a hypertension follow-up. 其他服务

Each entry falls away by itself as soon as a form of that code is on the menu.
"""

from __future__ import annotations

import re
from functools import lru_cache

from handlers.menu import FORMS

_WORDS = {
    "elderly_check": ("老年人体检", r"老年人?(?:健康)?[体梯]检|年度体检|体检表|自理能力"),
    "copd_follow_up": ("慢阻肺随访", r"慢阻肺|血氧|SpO2|CAT评分"),
    "mental_health_follow_up": ("精神障碍随访", r"危险性|自知力|精神病|精神分裂|肇事|关锁|抗精神"),
    "tb_follow_up": ("肺结核随访", r"肺?结核|HRZE|督导服药|痰菌|抗痨"),
    "pneumoconiosis_follow_up": ("尘肺病随访", r"尘肺"),
    "antenatal_visit": (
        "产前随访",
        r"孕\d+\s*周|怀孕\d+|\d+\s*周\s*[+＋]|胎心|宫高|胎位|产检|产前|早孕|尿蛋白|末次月经|预产期",
    ),
    "postpartum_visit": ("产后访视", r"产后访视|恶露|宫底|分娩"),
    "newborn_visit": ("新生儿访视", r"脐带|黄疸|出生体重|新生儿|囟门"),
    "child_check": ("儿童体检", r"身长|头围|出牙|辅食|儿童?体检|儿保"),
    "vaccination": ("预防接种", r"疫苗|接种|第\d+针|百白破|脊灰|麻腮风|乙脑|甲肝|流脑|卡介|乙肝.{0,3}针"),
    "tcm_guidance": ("中医药指导", r"体质辨识|中医药指导|气虚质|平和质"),
    "folic_acid": ("叶酸发放", r"叶酸"),
    "screening_result": ("两癌筛查", r"两癌|宫颈|乳腺|HPV|TCT|BI-?RADS|筛查"),
    "signing_service": ("签约履约", r"履约"),
    "signing_end": ("签约变更", r"解约|退签|终止协议|解除协议|不再签|拒绝签|拒签"),
    "rehabilitation_follow_up": ("康复随访", r"康复训练|残疾人随访"),
    "health_education": ("健康教育", r"讲课|讲座|宣传栏|健康教育"),
    "training": ("培训", r"培训"),
    "referral_down": ("下转", r"下转|转回"),
}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    unbuilt = ((code, pattern) for code, (_, pattern) in _WORDS.items() if code not in FORMS)
    return re.compile("|".join(f"(?P<{code}>{pattern})" for code, pattern in unbuilt) or "(?!)", re.IGNORECASE)


def other_service(text: str, *, first: bool = False) -> str:
    """The title of a service that this line is about and that cannot be recorded here yet, or "".

    `first`: only where the line begins with it, because it names one that can be recorded as well.
    """
    match = _pattern().match(text) if first else _pattern().search(text)
    return _WORDS[str(match.lastgroup)][0] if match else ""
