"""产前随访: the first visit and the following ones, on the norm's forms; a birth told here turns to the days after it (domain.md A7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import child_check, common
from handlers.forms.absence import ABSENCE
from handlers.forms.birth import (
    about_the_birth,
    birth_details,
    birth_measures,
    delivery_steps,
    register_babies,
    same_baby,
    take_babies_back,
)
from handlers.forms.body import examined
from handlers.forms.danger import plain_danger_step
from handlers.forms.diabetes_follow_up import GLUCOSE
from handlers.forms.gestation import (
    DUE_DATE,
    GESTATION,
    LAST_PERIOD,
    about_the_dates,
    began_on,
    has_no_beginning,
    may_be_pregnant,
    of_a_woman,
    pregnant_days,
)
from handlers.forms.hypertension_follow_up import PRESSURE_TAKEN
from handlers.protocols import antenatal
from handlers.protocols.pregnancy import (
    DELIVERED,
    ENDED,
    KEY,
    PREGNANT,
    TERM,
    due_date,
    made,
    next_visit_window,
    window_of,
)
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options
from models.conversation import Doubt

MOTHER = "maternal"


def status(known: Known) -> int:
    """Still pregnant, delivered or ended; a day of birth says delivered."""
    return int(known.answers.get("pregnancy_status", DELIVERED if "delivered_on" in known.answers else PREGNANT))


def delivered(known: Known) -> bool:
    return status(known) == DELIVERED


def not_over(known: Known) -> bool:
    return status(known) == PREGNANT


def pregnant(known: Known) -> bool:
    """What is examined of a pregnant woman who is seen."""
    return status(known) == PREGNANT and not common.by_telephone(known.answers)


def from_week(week: int) -> Callable[[Known], bool]:
    """Asked from a week of pregnancy on, or while the weeks are not known."""

    def calls(known: Known) -> bool:
        gone = pregnant_days(known)
        return pregnant(known) and (gone is None or gone >= week * 7)

    return calls


def is_first(known: Known) -> bool:
    """The first antenatal visit that is recorded of this pregnancy."""
    return pregnant(known) and not known.past() and not made(known.details)


def near_term(known: Known) -> bool:
    gone = pregnant_days(known)
    return gone is not None and gone >= TERM and "delivered_on" not in known.answers


STATUS = SelectOne(
    field="pregnancy_status", title="孕情", ask="生了没有?", calls=near_term,
    options=options(
        (PREGNANT, "还在怀", "还没生", "没生", "未分娩", "~没有", "~没"),
        (DELIVERED, "已经生了", "已分娩", "生了孩子", "生了个", "生了宝宝", "生啦", "生了", "已经生", "生的", "生下"),
        (ENDED, "流产或引产", "流产", "引产", "自然流产", "人流", "流掉了", "胎停"),
    ),
)  # fmt: skip
DANGER = plain_danger_step(
    antenatal.DANGER_SIGNS,
    "她现在有没有下面的情况?",
    said={
        "severe_headache": ("头疼", "脑壳痛", "脑壳疼"),
        "sudden_vision": ("眼花", "看不清", "视物模糊"),
        "upper_abdominal_pain": ("心口痛",),
        "bleeding": ("见红", "出血", "流血"),
        "contractions": ("肚子痛", "宫缩", "腹痛"),
        "waters": ("羊水破了", "流水了"),
        "fewer_movements": (
            "胎动少",
            "胎动减少",
            "不动了",
            "没有胎动",
            "没胎动",
            "胎动没了",
            "感觉不到胎动",
            "没感觉到胎动",
            "没感到胎动",
            "胎动摸不到",
            "孩子不动",
            "宝宝不动",
            "伢不动",
        ),
        "convulsion": ("抽搐", "抽了"),
        "breathless": ("不能平卧", "喘不上气", "心慌气促"),
        "leg_swelling": ("一条腿肿",),
    },
    shown=("severe_headache", "sudden_vision", "upper_abdominal_pain", *antenatal.OBSTETRIC, "convulsion"),
    when=pregnant,
)
SYMPTOMS = SelectMany(
    field="symptoms", title="主诉", words=("症状",), none_code=1, asked=False,
    options=options(
        common.NO_SYMPTOMS, (2, "恶心呕吐", "恶心", "呕吐", "孕吐"), (3, "头晕", "头昏"), (4, "下肢水肿", "脚肿", "腿肿", "浮肿", "下肢浮肿"),
        (5, "腰酸", "腰痛"), (6, "其他", "=其他"),
    ),
)  # fmt: skip
WEIGHT = replace(common.WEIGHT, asked=True, optional=True, ask="体重多少?(公斤)", calls=pregnant, target=None)
FUNDAL_HEIGHT = Number(
    field="fundal_height", title="宫底高度", ask="宫高多少?(厘米)", words=("宫高", "宫底高", "宫底"), unit="cm", units={"cm": 1, "厘米": 1, "公分": 1},
    alone=(), possible=(3, 60), sure=(5, 45), decimals=1, optional=True, calls=from_week(20),
)  # fmt: skip
FETAL_HEART = Number(
    field="fetal_heart_rate", title="胎心率", ask="胎心多少?(次/分)听不到请写0。", words=("胎心", "胎儿心率", "FHR"), unit="次/分",
    units={"次/分": 1, "次": 1, "/分": 1, "bpm": 1}, alone=(), possible=(0, 260), sure=(100, 180), optional=True,
    zero=("听不到胎心", "没听到胎心", "胎心听不到", "胎心没听到", "无胎心"), example="胎心 140", calls=from_week(20),
)  # fmt: skip
URINE_PROTEIN = SelectOne(
    field="urine_protein", title="尿蛋白", ask="尿蛋白是几个加?没查可以跳过。", words=("蛋白尿", "蛋白"), optional=True, bare=(), calls=pregnant,
    options=options(
        (0, "阴性(-)", "阴性", "-", "(-)", "正常", "没有", "无"), (1, "±", "+-", "弱阳"), (2, "+", "1+", "一个加", "1个加", "阳性"),
        (3, "++", "2+", "两个加", "2个加"), (4, "+++", "3+", "三个加", "3个加"), (5, "++++", "4+", "四个加", "4个加"),
    ),
)  # fmt: skip
HAEMOGLOBIN = replace(child_check.HAEMOGLOBIN, calls=pregnant)
RISK_COLOUR = SelectMany(
    field="risk_colour", title="妊娠风险", ask="妊娠风险评估是什么颜色?没评估可以跳过。", words=("风险", "风险评估", "五色"), optional=True, none_code="",
    calls=lambda known: pregnant(known) and "risk_colour" not in known.details,
    options=options((1, "绿色", "~绿"), (2, "黄色", "~黄"), (3, "橙色", "~橙"), (4, "红色", "~红"), (5, "紫色", "~紫")),
)  # fmt: skip
BOOKED_ON = Day(
    field="booked_on", title="建册日期", ask="《母子健康手册》哪天建的?没建或不清楚可以跳过。", words=("建册", "建册日期", "建卡"), after=("建册", "建的册", "建卡"),
    bare=False, optional=True, calls=lambda known: is_first(known) and "booked_on" not in known.details,
)  # fmt: skip


def a_test(field: str, title: str, *words: str) -> SelectOne:
    """One of the tests against mother-to-child transmission: reactive means to be repeated, never a diagnosis."""
    return common.coded(field, title, (1, "阴性", "正常"), (2, "待复检", "阳性", "反应性"), (3, "没查", "未查"), words=words)  # fmt: skip


def number(
    field: str, title: str, unit: str, possible: tuple[float, float], *words: str, decimals: int = 1,
    sure: tuple[float, float] | None = None,
) -> Number:  # fmt: skip
    return Number(
        field=field, title=title, words=words, unit=unit, units={unit: 1} if unit else {}, alone=(), possible=possible, decimals=decimals, asked=False, sure=sure
    )  # fmt: skip


def text(field: str, title: str, *words: str) -> Text:
    return Text(field=field, title=title, words=words or (title,), asked=False, longest=80)


PAST_HISTORY = SelectMany(
    field="past_history", title="既往史", none_code=1, asked=False, words=("既往史", "病史"),
    options=options(
        (1, "无", "~无", "既往体健"), (2, "心脏病"), (3, "肾脏疾病", "肾病"), (4, "肝脏疾病", "肝病"), (5, "高血压"), (6, "贫血"), (7, "糖尿病"), (8, "其他", "=其他")
    ),
)  # fmt: skip
FAMILY_HISTORY = SelectMany(
    field="family_history", title="家族史", none_code=1, asked=False,
    options=options((1, "无", "~无"), (2, "遗传性疾病史", "遗传病"), (3, "精神疾病史"), (4, "其他", "=其他")),
)  # fmt: skip
PERSONAL_HISTORY = SelectMany(
    field="personal_history", title="个人史", none_code=1, asked=False,
    options=options(
        (1, "无特殊", "~无"), (2, "吸烟"), (3, "饮酒"), (4, "服用药物"), (5, "接触有毒有害物质"), (6, "接触放射线"), (7, "其他", "=其他")
    ),
)  # fmt: skip
GUIDANCE = SelectMany(
    field="guidance", title="保健指导", none_code="", asked=False, advice=True, words=("指导",),
    options=options(
        (1, "生活方式"), (2, "营养"), (3, "避免致畸因素和疾病"), (4, "心理"), (5, "产前筛查宣传告知"), (6, "自我监护"), (7, "母乳喂养"), (8, "分娩准备"), (9, "其他", "=其他")
    ),
)  # fmt: skip
EVERY_VISIT = (
    SYMPTOMS,
    number("abdominal_girth", "腹围", "cm", (40, 160), sure=(60, 130)),
    SelectOne(
        field="fetal_position", title="胎位", asked=False,
        options=options((1, "头位", "*头位", "正常"), (2, "臀位", "*臀位"), (3, "横位", "*横位"), (9, "不清")),
    ),
    common.TEMPERATURE,
    replace(GLUCOSE, asked=False),
    number("ogtt_1h", "糖耐量1小时", "mmol/L", (0.3, 60), "OGTT1小时", sure=(3, 25)),
    number("ogtt_2h", "糖耐量2小时", "mmol/L", (0.3, 60), "OGTT2小时", sure=(3, 25)),
    text("other_examinations", "其他检查", "其他检查", "B超"),
)  # fmt: skip
FIRST_VISIT = (
    number("gravida", "孕次", "次", (1, 20), "第几胎", decimals=0, sure=(1, 10)),
    number("vaginal_births", "阴道分娩", "次", (0, 20), decimals=0, sure=(0, 8)),
    number("caesareans", "剖宫产史", "次", (0, 10), "剖宫产史", decimals=0, sure=(0, 4)),
    text("husband", "丈夫(姓名、年龄、电话)", "丈夫"),
    PAST_HISTORY,
    FAMILY_HISTORY,
    PERSONAL_HISTORY,
    text("gynaecological_surgery", "妇科手术史"),
    number("miscarriages", "流产史", "次", (0, 20), decimals=0, sure=(0, 8)),
    number("fetal_deaths", "死胎史", "次", (0, 20), decimals=0, sure=(0, 4)),
    number("stillbirths", "死产史", "次", (0, 20), decimals=0, sure=(0, 4)),
    number("neonatal_deaths", "新生儿死亡史", "次", (0, 20), decimals=0, sure=(0, 4)),
    number("birth_defects", "出生缺陷儿史", "次", (0, 20), decimals=0, sure=(0, 4)),
    common.HEIGHT,
    examined("heart", "心脏"),
    examined("lungs", "肺部"),
    examined("gynaecology", "妇科检查"),
    number("white_cells", "白细胞", "×10⁹/L", (0.1, 100), "WBC", sure=(1, 50)),
    number("platelets", "血小板", "×10⁹/L", (1, 2000), "PLT", decimals=0, sure=(20, 900)),
    text("urine", "尿糖、尿酮、潜血", "尿常规"),
    common.coded("blood_group", "血型", (1, "A"), (2, "B"), (3, "O"), (4, "AB")),
    common.coded("rhesus", "Rh", (1, "阳性", "+"), (2, "阴性", "-")),
    number("alt", "谷丙转氨酶", "U/L", (1, 5000), "ALT", sure=(1, 1000)),
    number("ast", "谷草转氨酶", "U/L", (1, 5000), "AST", sure=(1, 1000)),
    number("albumin", "白蛋白", "g/L", (5, 80), sure=(15, 60)),
    number("bilirubin", "总胆红素", "μmol/L", (0, 800), sure=(1, 300)),
    number("direct_bilirubin", "结合胆红素", "μmol/L", (0, 600), sure=(0, 200)),
    number("creatinine", "血清肌酐", "μmol/L", (5, 2000), "肌酐", sure=(15, 800)),
    number("urea", "血尿素", "mmol/L", (0.5, 80), "尿素", sure=(1, 50)),
    text("vaginal_discharge", "阴道分泌物和清洁度", "阴道分泌物"),
    a_test("hbsag", "乙肝表面抗原", "乙肝"),
    a_test("syphilis", "梅毒血清学试验", "梅毒"),
    a_test("hiv", "HIV抗体检测", "HIV", "艾滋"),
)  # fmt: skip


def check(known: Known) -> Doubt | None:
    """Dates that cannot be, and a birth that contradicts what was said of the pregnancy."""
    if "delivered_on" in known.answers and known.answers.get("pregnancy_status") in (PREGNANT, ENDED):
        said = "还在怀" if known.answers["pregnancy_status"] == PREGNANT else "流产或引产"
        ask = f"又说{said},又写了分娩日期,是哪一个?没有生的请发“取消”重新填。"
        return Doubt(ask, [("已经生了", {"pregnancy_status": DELIVERED})])
    return about_the_dates(known) or about_the_birth(known, began_on(known.answers, known))


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Weeks and days, the due date, and the state of the pregnancy, as far as they follow."""
    derived: dict[str, Any] = {}
    if "delivered_on" in answers and "pregnancy_status" not in answers:
        derived["pregnancy_status"] = DELIVERED
    if answers.get("pregnancy_status", derived.get("pregnancy_status", PREGNANT)) == PREGNANT:
        derived["pregnancy"] = 1
    began = began_on(answers, known)
    if began is not None and (known.on - began).days >= 0:
        weeks, rest = divmod((known.on - began).days, 7)
        derived |= {"pregnancy_began_on": began.isoformat(), "due_date": due_date(began).isoformat()}
        if "pregnancy" in derived:
            derived |= {"gestational_weeks": weeks, "gestational_days": rest}
    return {**derived, **common.bmi(answers, known)}


def examined_pregnant(answers: Mapping[str, Any]) -> bool:
    """What was recorded is an examination of a pregnant woman, and not a birth or a call."""
    return answers.get("pregnancy_status", PREGNANT) == PREGNANT and not common.by_telephone(answers)


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The next window; after the birth the home visit; nothing after an abortion."""
    details = _details(answers, known)
    if answers.get("pregnancy_status") == ENDED:
        return Due(ended="流产或引产,本次孕期管理结束", details=details)
    if decision is None or decision.next_due_on is None:
        return Due(details=details)
    opens_on = common.opens_on(next_visit_window(common.findings_of(answers, known)), decision)
    if answers.get("pregnancy_status") == DELIVERED:
        details |= birth_details(answers)
        return Due(on=decision.next_due_on, opens_on=opens_on, service="postpartum_visit", details=details)
    return Due(on=decision.next_due_on, opens_on=opens_on, service="antenatal_visit", details=details)


def _details(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """What the enrolment did not know yet."""
    told = {
        name: answers[name]
        for name in ("last_menstrual_period", "pregnancy_began_on", "due_date", "booked_on", "risk_colour")
        if name in answers and answers[name] != known.details.get(name)
    }
    began = began_on(answers, known)
    window = window_of((known.on - began).days) if began is not None and examined_pregnant(answers) else None
    if window is not None and f"{KEY}{window.number}" not in known.details:
        told[f"{KEY}{window.number}"] = known.on.isoformat()
    return told


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["examined"] if examined_pregnant(answers) else []


form = Form(
    code="antenatal_visit",
    title="产前随访",
    about="resident",
    words=("产前随访", "产前检查", "产检", "产检随访", "孕检", "产前"),
    needs=(
        "fetal_heart_rate", "fundal_height", "gestational_weeks", "urine_protein", "last_menstrual_period", "abdominal_girth", "delivered_on",
        "pregnancy_status", "due_date", "systolic", "diastolic",
    ),
    shows=("gestational_weeks", "systolic", "fetal_heart_rate", "haemoglobin"),
    programme=MOTHER,
    protocol=antenatal.protocol,
    enrols="always",
    fits=lambda known: may_be_pregnant(known),
    admits=of_a_woman,
    steps=(
        common.ON,
        *ABSENCE,
        STATUS,
        replace(LAST_PERIOD, calls=lambda known: has_no_beginning(known) and not_over(known)),
        replace(GESTATION, calls=lambda known: began_on(known.answers, known) is None and not_over(known)),
        DUE_DATE,
        *delivery_steps(delivered, status_is_asked=True),
        replace(PRESSURE_TAKEN, calls=pregnant),
        DANGER,
        WEIGHT,
        FUNDAL_HEIGHT,
        FETAL_HEART,
        URINE_PROTEIN,
        HAEMOGLOBIN,
        RISK_COLOUR,
        BOOKED_ON,
        common.MODE_LATER,
        replace(common.HEART_RATE, asked=False),
        common.HEART_RATE_REPEAT,
        *EVERY_VISIT,
        *FIRST_VISIT,
        GUIDANCE,
        text("note", "备注"),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    at_once=True,
    notices=same_baby,
    derive=derive,
    marks=marks,
    measures=birth_measures,
    owes=owes,
    finish=register_babies,
    undo=take_babies_back,
)  # fmt: skip
