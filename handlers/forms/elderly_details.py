"""The rest of 健康体检表 (domain.md A6): asked only where a finding calls for it, else said or reached from the recap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handlers.forms import common
from handlers.forms import examination as exam
from handlers.forms.diabetes_follow_up import FOOT_PULSE, HBA1C
from handlers.forms.medications import MEDICATIONS
from handlers.steps import Number, SelectMany, Step, Text, options

ECG_CRITICAL = SelectMany(
    field="ecg_critical",
    title="心电图危急",
    ask="心电图报告里有没有下面的字?",
    none_code=0,
    options=options(
        (0, "都没有", "~没有", "~无", "~没"),
        (1, "ST段抬高"),
        (
            2,
            "二度II型或三度房室传导阻滞",
            "三度房室传导阻滞",
            "二度II型房室传导阻滞",
            "二度Ⅱ型房室传导阻滞",
            "Ⅲ度房室传导阻滞",
        ),
        (3, "室性心动过速", "室速"),
        (4, "快速房颤", "房颤伴快速心室率"),
        (5, "长间歇", "窦性停搏"),
    ),
    when=lambda known: known.answers.get("ecg") == exam.ABNORMAL,
)


def many(field: str, title: str, none_code: int, *rows: tuple[Any, ...], words: tuple[str, ...] = ()) -> SelectMany:
    """Several codes, not asked; words of its own are needed in a line."""
    return SelectMany(
        field=field, title=title, words=words, none_code=none_code, options=options(*rows), asked=False
    )  # fmt: skip


def typed(field: str, title: str, *words: str) -> Text:
    return Text(field=field, title=title, words=(title, *words), asked=False)


def _sight(field: str, title: str, *words: str) -> Number:
    return Number(field=field, title=title, words=words, possible=(0, 5.3), decimals=1, alone=(), asked=False)


DETAILS: tuple[Step, ...] = (
    common.HEART_RATE_REPEAT,
    exam.OTHER_ARM,
    common.TEMPERATURE,
    exam.RESPIRATION,
    common.coded("exercise_frequency", "锻炼频率", (1, "每天"), (2, "每周一次以上"), (3, "偶尔"), (4, "不锻炼"), words=("锻炼",)),
    many("diet", "饮食习惯", 0, (0, "不清楚", "~不清楚"), (1, "荤素均衡"), (2, "荤食为主"), (3, "素食为主"), (4, "嗜盐"), (5, "嗜油"), (6, "嗜糖")),
    common.coded("smoking_status", "吸烟状况", (1, "从不吸烟"), (2, "已戒烟"), (3, "吸烟")),
    common.SMOKING,
    common.coded("drinking_frequency", "饮酒频率", (1, "从不"), (2, "偶尔"), (3, "经常"), (4, "每天")),
    common.ALCOHOL,
    typed("occupational_exposure", "职业病危害接触史", "职业接触"),
    _sight("vision_left", "左眼视力", "左眼", "视力左"),
    _sight("vision_right", "右眼视力", "右眼", "视力右"),
    common.coded("hearing", "听力", (1, "听见", "听得见"), (2, "听不清或无法听见", "听不清", "听不见", "耳聋")),
    common.coded("motor_function", "运动功能", (1, "可顺利完成", "正常"), (2, "无法独立完成任何一个动作", "不能完成")),
    typed("mouth", "口腔"),
    exam.Exam(field="skin", title="皮肤", words=("皮肤检查",), asked=False),
    exam.Exam(field="sclera", title="巩膜", words=("巩膜",), asked=False),
    exam.Exam(field="lymph_nodes", title="淋巴结", words=("淋巴结",), asked=False),
    exam.Exam(field="heart", title="心脏听诊", words=("心音", "心律"), asked=False),
    exam.Exam(field="lungs", title="肺部听诊", words=("呼吸音", "双肺"), asked=False),
    exam.Exam(field="abdomen", title="腹部", words=("腹部触诊",), asked=False),
    common.coded("oedema", "下肢水肿", (1, "无", "没有"), (2, "单侧"), (3, "双侧不对称"), (4, "双侧对称", "有"), words=("水肿",)),
    FOOT_PULSE,
    exam.HAEMOGLOBIN,
    exam.WHITE_CELLS,
    exam.PLATELETS,
    *exam.URINE,
    exam.ALT,
    exam.AST,
    exam.BILIRUBIN,
    exam.CREATININE,
    exam.UREA,
    exam.POTASSIUM,
    exam.CHOLESTEROL,
    exam.TRIGLYCERIDES,
    exam.LDL,
    exam.HDL,
    HBA1C,
    exam.MICROALBUMIN,
    exam.OCCULT_BLOOD,
    exam.ECG,
    ECG_CRITICAL,
    exam.ULTRASOUND,
    exam.CHEST_X_RAY,
    common.coded("hepatitis_b_antigen", "乙肝表面抗原", (1, "阴性"), (2, "阳性"), words=("HBsAg",)),
    typed("other_tests", "其他辅助检查"),
    typed("cerebrovascular", "脑血管疾病"),
    typed("kidney_disease", "肾脏疾病"),
    typed("heart_disease", "心脏疾病"),
    typed("vascular_disease", "血管疾病"),
    typed("eye_disease", "眼部疾病"),
    typed("nervous_disease", "神经系统疾病"),
    typed("other_disease", "其他系统疾病"),
    typed("hospital_stays", "住院史", "住院"),
    MEDICATIONS,
    replace(common.ADHERENCE, asked=False, same_as=common.ADHERENCE),
    typed("vaccinations", "非免疫规划接种史", "打过的疫苗"),
    common.coded("health_assessment", "健康评价", (1, "体检无异常", "无异常"), (2, "有异常", "异常")),
    typed("abnormalities", "异常情况", "异常项"),
    many("guidance", "健康指导", 0, (0, "无"), (1, "纳入慢性病患者健康管理"), (2, "建议复查"), (3, "建议转诊")),
    many(
        "risk_control", "危险因素控制", 0,
        (0, "无"), (1, "戒烟", "~戒烟"), (2, "健康饮酒"), (3, "饮食"), (4, "锻炼", "~锻炼"), (5, "减体重"), (6, "建议接种疫苗"), (7, "其他", "=其他"),
    ),
    Number(field="weight_goal", title="减体重目标", unit="kg", units={"kg": 1, "公斤": 1, "斤": 0.5}, possible=(20, 200), sure=(35, 110), decimals=1, alone=(), asked=False),
    common.REFERRAL_REASON,
    common.REFERRAL_TO,
    common.NEXT,
)  # fmt: skip
