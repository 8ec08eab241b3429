"""Every service that leaves a record: its code and what people call it. 服务项目"""

from __future__ import annotations

from collections.abc import Mapping

SERVICES: Mapping[str, str] = {
    "hypertension_follow_up": "高血压随访",
    "diabetes_follow_up": "糖尿病随访",
    "copd_follow_up": "慢阻肺随访",
    "mental_health_follow_up": "严重精神障碍随访",
    "tb_first_visit": "肺结核首次入户随访",
    "tb_follow_up": "肺结核随访",
    "pneumoconiosis_follow_up": "尘肺病随访",
    "elderly_check": "老年人健康体检",
    "rehabilitation_follow_up": "康复随访",
    "antenatal_visit": "产前随访",
    "postpartum_visit": "产后访视",
    "newborn_visit": "新生儿访视",
    "child_check": "儿童健康检查",
    "vaccination": "预防接种",
    "tcm_guidance": "中医药健康指导",
    "folic_acid": "叶酸发放",
    "signing": "家庭医生签约",
    "signing_service": "签约服务",
    "signing_end": "解约",
    "health_record": "建立健康档案",
    "outreach_clinic": "义诊",
    "home_visit": "入户走访",
    "health_education": "健康教育",
    "screening_result": "免费筛查结果",
    "voluntary_testing": "自愿咨询检测",
    "referral_up": "上转",
    "referral_down": "下转",
    "infectious_report": "传染病报告",
    "training": "培训",
    "expert_support": "专家下乡支援",
    "appointment": "预约",
    "progress_report": "项目进度",
    "screening_follow_up": "筛查追踪",
    "campaign": "免费活动",
    "plan": "工作计划",
}

UNITS: Mapping[str, str] = {
    "signing": "份",
    "signing_end": "份",
    "health_record": "份",
    "outreach_clinic": "场",
    "health_education": "场",
    "screening_result": "例",
    "infectious_report": "例",
    "training": "场",
    "expert_support": "次",
    "progress_report": "次",
    "screening_follow_up": "次",
    "campaign": "场",
    "plan": "个",
}
"""In what a service's records are counted, where it is not 人次."""

PROGRAMMES: Mapping[str, str] = {
    "hypertension": "高血压",
    "diabetes": "糖尿病",
    "mental_health": "严重精神障碍",
    "tb": "肺结核",
    "copd": "慢阻肺",
    "pneumoconiosis": "尘肺病",
    "maternal": "孕产妇",
    "child": "儿童",
    "vaccination": "预防接种",
    "elderly": "老年人",
    "rehabilitation": "残疾人康复",
}
"""What a resident can be enrolled in (管理项目)."""

FIRST_SERVICE: Mapping[str, str] = {"tb": "tb_first_visit"}
"""What a programme begins with, where that is another service than its follow-up."""

FIRST_VISIT_DAYS: Mapping[str, int] = {"tb": 3}
"""Within how many days of the notice: 72 hours end with the third day (domain.md M-26)."""

DISCREET = frozenset({"mental_health", "tb"})
"""Programmes never named in a message's first line, a group or a file name (promise 9)."""
