"""老年人健康体检: the norm's 健康体检表 for residents from 65, once a year (domain.md A6).

The few that matter are asked (pressure, weight, height, waist, complaints, self-care, self-rating, the two screens); the
laboratory and everything else of the form is reachable from the recap and by words. It is the yearly check of
hypertension and diabetes as well, and one record: counted once among the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form, day_of
from handlers.forms import common
from handlers.forms import examination as exam
from handlers.forms.absence import ABSENCE
from handlers.forms.danger import danger_step
from handlers.forms.diabetes_follow_up import FOOT_PULSE, GLUCOSE, HBA1C
from handlers.forms.hypertension_follow_up import PRESSURE_TAKEN
from handlers.forms.medications import MEDICATIONS
from handlers.protocols import elderly
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Step, Text, options
from handlers.turn import Turn
from models.appointment import Appointment
from models.conversation import Doubt
from models.effects import PERSON
from models.record import Record

AGAIN_AFTER = timedelta(days=14)  # 非同日复测, 空腹复查
YEARLY_OF = ("hypertension", "diabetes")
"""Programmes whose yearly check this record is too."""

WEIGHT = replace(common.WEIGHT, asked=True, ask="体重多少?(公斤;说斤请写“斤”)", same_as=common.WEIGHT)
HEIGHT = replace(common.HEIGHT, asked=True, ask="身高多少?(厘米)", usual=(130, 190), same_as=common.HEIGHT)
WAIST = replace(
    common.WAIST, asked=True, optional=True, ask="腰围多少?(厘米)没量可以跳过。", words=("腰", "腰为", "腰围为"), same_as=common.WAIST
)  # fmt: skip
SUGAR = replace(GLUCOSE, optional=True, ask="空腹血糖多少?(mmol/L)没抽血可以跳过;餐后的请写“餐后 9.8”", same_as=GLUCOSE)
SYMPTOMS = SelectMany(
    field="symptoms",
    title="体检症状",
    ask="有什么不舒服?可以多选。",
    none_code=1,
    options=options(
        common.NO_SYMPTOMS,
        (2, "头痛", "头疼"), (3, "头晕", "头昏"), (4, "心悸", "心慌"), (5, "胸闷"), (6, "胸痛", "胸口痛"), (7, "慢性咳嗽", "老咳嗽", "咳嗽"),
        (8, "咳痰", "有痰"), (9, "呼吸困难", "气喘", "喘不上气", "气促"), (10, "多饮", "口渴"), (11, "多尿", "尿多"), (12, "体重下降", "瘦了", "消瘦"),
        (13, "乏力", "没力气", "没劲"), (14, "关节肿痛", "关节痛", "腿痛", "膝盖痛"), (15, "视力模糊", "看不清"), (16, "手脚麻木", "手麻", "脚麻"),
        (17, "尿急"), (18, "尿痛"), (19, "便秘", "解不出大便"), (20, "腹泻", "拉肚子"), (21, "恶心呕吐", "恶心", "呕吐"), (22, "眼花"),
        (23, "耳鸣"), (24, "乳房胀痛"), (25, "其他", "=其他"),
    ),
)  # fmt: skip
_OF_THE_HEAD = ("severe_headache", "altered_consciousness", "one_sided_or_speech", "fainting")
_OF_THE_CHEST = ("chest_pain_10min", "chest_pain", "cold_sweat", "cannot_lie_flat", "fainting")
DANGER = danger_step(
    elderly.DANGER_SIGNS,
    elderly.danger_question,
    offered={
        2: _OF_THE_HEAD, 3: _OF_THE_HEAD, 4: _OF_THE_CHEST, 5: _OF_THE_CHEST, 6: _OF_THE_CHEST, 9: _OF_THE_CHEST,
        15: ("sudden_vision", "severe_headache"), 16: ("one_sided_or_speech",), 21: ("black_stool", "severe_headache"),
        22: ("sudden_vision", "severe_headache"),
    },
    otherwise=(*_OF_THE_HEAD, "chest_pain_10min", "cannot_lie_flat", "cold_sweat"),
)  # fmt: skip

# --- 生活自理能力, 认知, 情感 ---

ALL_BY_HIMSELF, SOME_HELP = 1, 2
SELF_CARE_ALL = SelectOne(
    field="self_care_all",
    title="生活自理",
    ask="吃饭、梳洗、穿衣、上厕所、走动,五样都能自己做吗?",
    options=options(
        (ALL_BY_HIMSELF, "都能自己做", "自理没问题", "自理都好", "自己能照顾自己", "生活自理", "生活能自理", "能自理", "完全自理", "可自理", "都能自理", "~都能", "~能"),
        (SOME_HELP, "有的要人帮", "要人照顾", "不能自理", "生活不能自理", "部分自理", "半自理", "~不能", "~有的不能"),
    ),
)  # fmt: skip


def _needs_help(known: Known) -> bool:
    return known.answers.get("self_care_all") == SOME_HELP


def _item(field: str, title: str, ask: str, *rows: tuple[Any, ...]) -> SelectOne:
    """One of the five: asked in words, scored by us. Its options count only as a reply."""
    return SelectOne(field=field, title=title, ask=ask, options=options(*rows), when=_needs_help, bare=())


SELF_CARE = (
    _item("self_care_meals", "进餐", "吃饭:饭菜到嘴边、咀嚼、吞咽?", (1, "自己能吃"), (3, "要帮忙切碎、拌好"), (4, "完全要人喂")),
    _item(
        "self_care_washing", "梳洗", "梳头、洗脸、刷牙、洗澡?",
        (1, "都能自己做"), (2, "只有洗澡要帮忙"), (3, "有人帮能做一部分"), (4, "完全要人帮"),
    ),
    _item("self_care_dressing", "穿衣", "穿衣、袜、鞋?", (1, "自己能穿"), (3, "有人帮能穿一部分"), (4, "完全要人帮")),
    _item(
        "self_care_toilet", "如厕", "大小便和自控?",
        (1, "不要帮忙,能自控"), (2, "偶尔失禁,基本能自己上"), (3, "经常失禁,提醒和帮忙才行"), (4, "完全失禁,完全要人帮"),
    ),
    _item(
        "self_care_moving", "活动", "站立、室内走、上下楼、室外活动?",
        (1, "都能自己做"), (2, "拄拐或扶一下能做"), (3, "要人使劲扶,不能上下楼"), (4, "卧床不起"),
    ),
)  # fmt: skip
SELF_RATED = SelectOne(
    field="self_rated_health",
    title="健康状态自评",
    ask="老人自己觉得身体怎么样?",
    words=("自评",),
    options=options(
        (1, "满意", "~很好", "~好"),
        (2, "基本满意", "~还好", "~还可以", "~还行", "~可以"),
        (3, "说不清楚", "~说不清", "~不知道", "~一般"),
        (4, "不太满意", "~不太好", "~不怎么好"),
        (5, "不满意", "~不好", "~很差", "~差"),
    ),
    bare=(),
)
_SCREEN = ((1, "粗筛阴性", "阴性", "正常"), (2, "粗筛阳性", "阳性", "异常"))
COGNITION = SelectOne(
    field="cognition",
    title="认知粗筛",
    ask="认知粗筛:记三样东西、一分钟后能复述吗?能复述选阴性,没做可以跳过。",
    words=("认知功能", "认知"),
    options=options(*_SCREEN),
    optional=True,
    bare=(),
)
COGNITION_SCORE = Number(
    field="cognition_score", title="智力状态检查总分", words=("智力状态检查", "MMSE"), unit="分", units={"分": 1}, possible=(0, 30), alone=(), asked=False
)  # fmt: skip
MOOD = SelectOne(
    field="mood",
    title="情感粗筛",
    ask="情感粗筛:常觉得伤心、忧郁吗?不觉得选阴性,没问可以跳过。",
    words=("情感状态", "情感"),
    options=options(*_SCREEN),
    optional=True,
    bare=(),
)
MOOD_SCORE = Number(
    field="mood_score", title="抑郁评分", words=("老年抑郁评分", "抑郁量表"), unit="分", units={"分": 1}, possible=(0, 30), alone=(), asked=False
)  # fmt: skip
SELF_HARM = SelectOne(
    field="self_harm_thought",
    title="不想活的念头",
    ask="有没有不想活的念头?",
    options=options((1, "没有", "~无", "~没"), (2, "有", "不想活", "想死")),
    when=lambda known: known.answers.get("mood") == 2,
    bare=("不想活", "想死"),
)
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

# --- the rest of 健康体检表 ---


def rest(field: str, title: str, *rows: tuple[Any, ...], words: tuple[str, ...] = ()) -> SelectOne:
    """A coded field that is not asked; its options count only after its own words."""
    return SelectOne(field=field, title=title, words=words, options=options(*rows), asked=False, bare=())


def many(field: str, title: str, none_code: int, *rows: tuple[Any, ...], words: tuple[str, ...] = ()) -> SelectMany:
    """Several codes, not asked; words of its own are needed in a line."""
    return SelectMany(
        field=field, title=title, words=words, none_code=none_code, options=options(*rows), asked=False
    )  # fmt: skip


def typed(field: str, title: str, *words: str) -> Text:
    return Text(field=field, title=title, words=(title, *words), asked=False)


def _sight(field: str, title: str, *words: str) -> Number:
    return Number(field=field, title=title, words=words, possible=(0, 5.3), decimals=1, alone=(), asked=False)


AGE_STATED = SelectOne(
    field="age_stated",
    title="是否满65岁",
    ask="档案里没有出生日期。满65岁了吗?",
    options=options((1, "不满65岁"), (2, "满65岁了", "~满了")),
    when=lambda known: known.age is None,
    bare=(),
)
REST: tuple[Step, ...] = (
    common.HEART_RATE_REPEAT,
    exam.OTHER_ARM,
    common.TEMPERATURE,
    exam.RESPIRATION,
    rest("exercise_frequency", "锻炼频率", (1, "每天"), (2, "每周一次以上"), (3, "偶尔"), (4, "不锻炼"), words=("锻炼",)),
    many("diet", "饮食习惯", 0, (0, "不清楚", "~不清楚"), (1, "荤素均衡"), (2, "荤食为主"), (3, "素食为主"), (4, "嗜盐"), (5, "嗜油"), (6, "嗜糖")),
    rest("smoking_status", "吸烟状况", (1, "从不吸烟"), (2, "已戒烟"), (3, "吸烟")),
    common.SMOKING,
    rest("drinking_frequency", "饮酒频率", (1, "从不"), (2, "偶尔"), (3, "经常"), (4, "每天")),
    common.ALCOHOL,
    typed("occupational_exposure", "职业病危害接触史", "职业接触"),
    _sight("vision_left", "左眼视力", "左眼", "视力左"),
    _sight("vision_right", "右眼视力", "右眼", "视力右"),
    rest("hearing", "听力", (1, "听见", "听得见"), (2, "听不清或无法听见", "听不清", "听不见", "耳聋")),
    rest("motor_function", "运动功能", (1, "可顺利完成", "正常"), (2, "无法独立完成任何一个动作", "不能完成")),
    typed("mouth", "口腔"),
    exam.Exam(field="skin", title="皮肤", words=("皮肤检查",), asked=False),
    exam.Exam(field="sclera", title="巩膜", words=("巩膜",), asked=False),
    exam.Exam(field="lymph_nodes", title="淋巴结", words=("淋巴结",), asked=False),
    exam.Exam(field="heart", title="心脏听诊", words=("心音", "心律"), asked=False),
    exam.Exam(field="lungs", title="肺部听诊", words=("呼吸音", "双肺"), asked=False),
    exam.Exam(field="abdomen", title="腹部", words=("腹部触诊",), asked=False),
    rest("oedema", "下肢水肿", (1, "无", "没有"), (2, "单侧"), (3, "双侧不对称"), (4, "双侧对称", "有"), words=("水肿",)),
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
    rest("hepatitis_b_antigen", "乙肝表面抗原", (1, "阴性"), (2, "阳性"), words=("HBsAg",)),
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
    rest("health_assessment", "健康评价", (1, "体检无异常", "无异常"), (2, "有异常", "异常")),
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


# --- what is computed, checked, counted ---


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Body mass index, the self-care score and its band."""
    found = common.bmi(answers, known)
    independent = answers.get("self_care_all") == ALL_BY_HIMSELF
    score = 0 if independent else elderly.self_care_score(answers)
    if score is not None:
        found |= {"self_care_score": score, "self_care": elderly.self_care_band(score)}
    return found


def check(known: Known) -> Doubt | None:
    """A body mass index that is hardly a person's is asked (domain.md M-15)."""
    answers = known.answers
    if known.age is None and "age_stated" not in answers:
        return Doubt(
            "档案里没有出生日期。满65岁了吗?", [("满65岁了", {"age_stated": 2}), ("不满65岁", {"age_stated": 1})]
        )
    bmi = common.bmi(answers, known).get("bmi")
    if bmi is not None and not 16 <= bmi <= 35 and "bmi_checked" not in answers:
        half = answers["weight"] * common.JIN_IN_KG
        halved = [(f"{answers['weight']:g} 是斤,即{half:g} 公斤", {"weight": half})] if bmi > 35 else []
        return Doubt(
            f"身高 {answers['height']:g} 厘米、体重 {answers['weight']:g} 公斤,体质指数 {bmi:g},对吗?不对请重新发体重或身高。",
            [*halved, ("没错", {"bmi_checked": 1})],
        )
    return None


def counted(decision: Decision | None) -> bool:
    """Does the record count as a check of the elderly programme?"""
    return decision is not None and "outside_programme" not in decision.flags


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Once a year each: the elderly person managed, and the patient who had the yearly check of their disease."""
    elder = [f"{PERSON}people.elderly_check"] if counted(decision) else []
    return [*elder, *(f"{PERSON}people.yearly_check.{code}" for code in YEARLY_OF if code in known.programmes)]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """By the same day of the next year. An urgent finding of today does not make next year's check urgent."""
    return Due(on=decision.next_due_on if decision else None, urgency="routine")


def finish(turn: Turn, record: Record) -> None:
    """A raised value of somebody who is not in that programme is measured again on another day: it stands in the list."""
    programmes = {code for code, e in turn.enrolments(record.resident_id).items() if e.ended_on is None}
    again = [
        ("ELD-32", "hypertension", "换一天再量血压(体检时偏高)"),
        ("ELD-33", "diabetes", "空腹复查血糖(体检时偏高)"),
    ]
    for rule, programme, what in again:
        if rule in record.rules and programme not in programmes and record.resident_id is not None:
            turn.session.add(
                Appointment(
                    record_id=record.id,
                    resident_id=record.resident_id,
                    village_id=record.village_id,
                    worker_id=record.worker_id,
                    on=day_of({"on": record.on.isoformat()}, turn.today) + AGAIN_AFTER,
                    what=what,
                )
            )


def self_care_words(answers: Mapping[str, Any]) -> list[str]:
    """'生活自理能力:可自理(2分)' for the recap."""
    if "self_care_score" not in answers:
        return []
    return [f"自理能力评估:{elderly.BAND_WORDS[answers['self_care']]}({answers['self_care_score']}分)"]


WORDS = (
    "老年人健康体检", "老年人体检", "老年体检", "老人体检", "老年人梯检", "老年梯检", "老人梯检", "65岁体检", "六十五岁体检", "年度体检", "年度健康检查",
    "健康体检", "体检表",
)  # fmt: skip

form = Form(
    code="elderly_check",
    title="老年人健康体检",
    about="resident",
    words=WORDS,
    hints=("体检", "65岁以上体检", "65岁及以上体检"),
    shows=("systolic", "fasting_glucose", "haemoglobin", "platelets", "white_cells", "alt", "creatinine", "potassium", "ecg"),
    programme="elderly",
    protocol=elderly.protocol,
    steps=(
        Day(field="on", title="体检日期", words=("日期", "体检日期"), asked=False),
        *ABSENCE,
        AGE_STATED,
        PRESSURE_TAKEN,
        common.HEART_RATE,
        common.PREGNANCY,
        WEIGHT,
        HEIGHT,
        WAIST,
        SUGAR,
        SYMPTOMS,
        DANGER,
        SELF_CARE_ALL,
        *SELF_CARE,
        SELF_RATED,
        COGNITION,
        MOOD,
        SELF_HARM,
        COGNITION_SCORE,
        MOOD_SCORE,
        *REST,
    ),
    check=check,
    derive=derive,
    marks=marks,
    owes=owes,
    enrols="always",
    fits=lambda known: known.age is None or known.age >= elderly.SETTINGS["elderly.min_age"].default,
    finish=finish,
    foresees=lambda turn, answers: self_care_words(answers),
)  # fmt: skip
