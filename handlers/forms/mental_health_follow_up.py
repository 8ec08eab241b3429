"""严重精神障碍患者随访: the norm's form (domain.md A3) with the three questions of M-12. Discreet: no first line names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE, DEATH_ILLNESS
from handlers.forms.danger import danger_step
from handlers.forms.medications import GUIDANCE, MEDICATIONS
from handlers.forms.mental_health_details import (
    ADHERENCE,
    BEHAVIOUR_TIMES,
    BEHAVIOURS,
    DANGER_LEVEL,
    INSIGHT,
    SOCIAL_FUNCTION,
    SOCIAL_PARTS,
    SYMPTOMS,
    answered_yes,
    worst_part,
)
from handlers.forms.mental_health_supplement import SUPPLEMENT
from handlers.measurements import BloodPressure, Glucose
from handlers.protocols import mental_health, mental_health_class
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options
from models.conversation import Doubt

GOOD_FAIR_POOR = (
    (1, "良好", "好", "还好", "可以", "正常", "还可以"),
    (2, "一般", "还行", "马马虎虎"),
    (3, "较差", "差", "不好", "很差"),
)

CONSENT = SelectOne(
    field="consent",
    title="知情同意",
    ask="监护人或本人签了同意参加社区管理的知情同意书吗?",
    options=options((1, "同意", "~签了", "~是", "知情同意"), (0, "不同意", "~没签", "*不同意管理", "*不愿意参加管理")),
    when=lambda known: known.details.get("consent") != 1,
)
MARKED = SelectOne(
    field="symptoms_marked",
    title="表现是否明显",
    ask="这些表现明显吗?(明显:别人一看就知道,影响日常生活)",
    options=options((1, "不明显", "~不明显", "~不", "~没有"), (2, "明显", "~是", "*症状明显")),
    when=lambda known: bool(set(known.answers.get("symptoms") or ()) - {0}),
)
SUICIDAL = SelectOne(
    field="suicidal",
    title="想死的念头",
    ask="有没有想过死?请单独问本人,也问家里人。",
    options=options((1, "没有", "~没有", "~没想过"), (2, "有念头", "~想过", "~有"), (3, "有计划或做过", "~有计划", "~做过")),
    when=lambda known: mental_health_class.DESPAIR in (known.answers.get("symptoms") or ()),
    bare=(),
)  # fmt: skip
DANGER = danger_step(
    mental_health_class.DANGER_SIGNS,
    lambda findings: "",
    offered={},
    otherwise=tuple(mental_health_class.DANGER_SIGNS),
    no_symptoms=0,
    said={
        "poisoned": (
            "喝了农药",
            "喝农药",
            "吃了农药",
            "吃农药",
            "吃了很多药",
            "吃了好多药",
            "吞了药",
            "吃老鼠药",
            "吃了老鼠药",
        ),
        "high_fever_stiff": ("肌肉发硬",),
    },
)
ADVERSE = SelectOne(
    field="adverse_reaction",
    title="药物不良反应",
    ask="有药物不良反应吗?(发胖、流口水、手抖、坐不住、嗜睡)",
    words=("不良反应", "副作用"),
    options=options(
        (1, "无", *(word for word in common.ADVERSE.options[0].words), "~没有", "~没"),
        (2, "有", *(word for word in common.ADVERSE.options[1].words), "~有"),
        (9, "不适用", "没有用药", "~没吃药"),
    ),
    bare=common.ADVERSE.bare,
)
REACTION_SEVERE = SelectOne(
    field="reaction_severe",
    title="不良反应是否严重",
    ask="这个不良反应严重吗?(高热、肌肉发硬、意识不清、全身皮疹、走不了路都算严重)",
    options=options((1, "不严重", "~不", "~没有", "*反应不严重"), (2, "严重", "~是", "*反应严重")),
    when=answered_yes("adverse_reaction"),
)
ILLNESS = SelectOne(
    field="severe_physical_illness",
    title="严重躯体疾病",
    ask="身体上有没有严重的病?",
    words=("躯体疾病",),
    options=options(
        (1, "没有", "无", "~无", "~没", "*无躯体疾病", "*没有躯体疾病", "*躯体疾病稳定", "*躯体稳定"), (2, "有", "*有严重躯体疾病")
    ),
)  # fmt: skip
ILLNESS_WHAT = Text(field="physical_illness", title="躯体疾病名称", words=("躯体疾病名称",), asked=False, longest=60)
SLEEP = SelectOne(
    field="sleep",
    title="睡眠",
    words=("睡觉",),
    options=options(
        (*GOOD_FAIR_POOR[0], "睡得好", "*睡得好", "*睡得着", "*睡得香"),
        GOOD_FAIR_POOR[1],
        (*GOOD_FAIR_POOR[2], "睡不着", "*睡不着", "*睡不好", "*失眠"),
    ),
    asked=False,
)
APPETITE = SelectOne(
    field="appetite", title="饮食", words=("饮食情况", "吃饭", "胃口"), asked=False,
    options=options((*GOOD_FAIR_POOR[0], "吃得好", "*吃得好", "*吃得下"), GOOD_FAIR_POOR[1], (*GOOD_FAIR_POOR[2], "吃不下", "*吃不下", "*不吃饭")),
)  # fmt: skip
CONFINEMENT = SelectOne(
    field="confinement",
    title="关锁情况",
    words=("关锁",),
    options=options(
        (1, "无关锁", "*无关锁", "无", "没有", "*没有关锁", "*没关锁", "*未关锁"), (2, "关锁", "*关锁", "=关锁", "*锁在家里", "*关在家里", "*用铁链锁", "*锁起来", "*关起来", "*锁在屋里", "*关在屋里", "*锁在房里", "*关在房里", "*锁屋里", "*锁家里", "*铁链", "*拴起来", "*捆起来"), (3, "关锁已解除", "*关锁已解除", "已解除", "*已解锁", "*解锁了")
    ),
    asked=False,
)  # fmt: skip
HOSPITALISED = SelectOne(
    field="hospitalised",
    title="住院情况",
    options=options(
        (0, "未住院", "没住院", "没有住院", "住院没住", "未住过院"),
        (1, "目前正在住院", "正在住院", "还在住院", "在住院", "住院中"),
        (2, "曾住院,现未住院", "出院了", "已出院", "刚出院", "住过院"),
    ),
    asked=False,
)
DISCHARGED_ON = Day(
    field="discharged_on", title="末次出院时间", ask="哪天出院的?", words=("出院时间", "出院日期"), after=("出院", "出的院"), bare=False,
    optional=True, when=lambda known: known.answers.get("hospitalised") == mental_health.DISCHARGED,
)  # fmt: skip
LAB_TESTS = common.coded(
    "lab_tests", "实验室检查", (1, "无", "没做", "未做", "没查"), (2, "有", "做了", "查了"), words=("化验",)
)
EFFECT = common.coded(
    "treatment_effect",
    "治疗效果",
    (1, "痊愈"),
    (2, "好转", "有好转"),
    (3, "无变化", "没变化"),
    (4, "加重"),
    (9, "不适用"),
    words=("疗效", "治疗效果"),
)
REHABILITATION = SelectMany(
    field="rehabilitation_measures",
    title="康复措施",
    none_code="",
    options=options((1, "生活劳动能力训练", "生活劳动能力"), (2, "职业训练"), (3, "学习能力训练"), (4, "社会交往训练"), (5, "其他康复措施")),
    asked=False,
)  # fmt: skip
CHECK_CONSENT = SelectOne(
    field="check_consent",
    title="同意健康检查",
    options=options((1, "同意检查"), (2, "不同意检查", "拒绝检查", "不肯检查")),
    asked=False,
)
CHECK_ON = Day(field="check_on", title="健康检查日期", words=("检查日期",), bare=False, asked=False)
PRESSURE = BloodPressure(field="systolic", title="血压", words=("血压",), asked=False)
GLUCOSE = Glucose(field="fasting_glucose", title="血糖", words=("血糖", "空腹"), asked=False)
BLOOD = Text(field="blood_routine", title="血常规", words=("血常规", "白细胞"), asked=False, longest=80)
TRANSAMINASE = Number(
    field="transaminase", title="转氨酶", words=("谷丙转氨酶", "ALT"), unit="U/L", units={"U/L": 1, "u/l": 1}, possible=(0, 5000), sure=(1, 1000),
    alone=(), asked=False,
)  # fmt: skip
CARDIOGRAM = Text(field="electrocardiogram", title="心电图", words=("心电图",), asked=False, longest=80)


def check(known: Known) -> Doubt | None:
    """The contradictions of M-12, each with the ways out of it."""
    answers = known.answers
    level, symptoms = answers.get("danger_level"), set(answers.get("symptoms") or ())
    behaviours = set(answers.get("dangerous_behaviours") or ()) - {7}
    if level is None:
        return None
    if level < 4 and behaviours & set(mental_health_class.AGAINST_SELF):
        return _contradiction("有自伤或自杀未遂,评估至少是4级。", (4, 5), behaviours, mental_health_class.AGAINST_SELF)
    if level == 0 and behaviours & set(mental_health_class.TROUBLE):
        return _contradiction(
            "有滋事、肇事等行为,评估就不是0级。", (1, 2, 3, 4, 5), behaviours, mental_health_class.TROUBLE
        )
    if level < 2 and 7 in symptoms:
        options = [_level(n) for n in (2, 3, 4, 5)]
        return Doubt(
            "有伤人毁物,评估至少是2级。请改其中一项。",
            [*options, ("没有伤人毁物", {"symptoms": sorted(symptoms - {7}) or [0]})],
        )
    return None


def _contradiction(words: str, levels: tuple[int, ...], behaviours: set[int], not_so: tuple[int, ...]) -> Doubt:
    left = sorted(behaviours - set(not_so)) or [7]
    return Doubt(f"{words}请改其中一项。", [*map(_level, levels), ("没有这样的行为", {"dangerous_behaviours": left})])


def _level(number: int) -> tuple[str, dict[str, Any]]:
    return f"改成{number}级", {"danger_level": number}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """A standard visit is one in person at which the danger and everything stability depends on was assessed."""
    if decision is None or "no_consent" in decision.flags or answers.get("danger_level") is None:
        return []
    in_person = common.face_to_face(answers) and "not_standard_visit" not in decision.flags
    return ["assessed", *(["standard_visit"] if in_person else [])]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Without consent nobody is managed, only reported; what was told once is remembered."""
    if decision and "no_consent" in decision.flags:
        return Due(ended="没有同意参加社区管理", details={"consent": 0})
    return common.keeping(answers, decision, ("consent", "diagnosis"))


form = Form(
    code="mental_health_follow_up",
    title="严重精神障碍随访",
    about="resident",
    words=(
        "严重精神障碍随访",
        "严重精神障碍",
        "精神障碍随访",
        "精神病随访",
        "精神病人随访",
        "精防随访",
        "精神分裂症随访",
    ),
    needs=("danger_level",),
    programme="mental_health",
    protocol=mental_health.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        DEATH_ILLNESS,
        CONSENT,
        common.MODE,
        DANGER_LEVEL,
        SYMPTOMS,
        MARKED,
        SUICIDAL,
        DANGER,
        INSIGHT,
        SOCIAL_FUNCTION,
        BEHAVIOURS,
        *BEHAVIOUR_TIMES,
        ADHERENCE,
        ADVERSE,
        REACTION_SEVERE,
        ILLNESS,
        DISCHARGED_ON,
        *SOCIAL_PARTS,
        SLEEP,
        APPETITE,
        CONFINEMENT,
        HOSPITALISED,
        LAB_TESTS,
        EFFECT,
        common.ADVERSE_WHAT,
        ILLNESS_WHAT,
        MEDICATIONS,
        GUIDANCE,
        REHABILITATION,
        CHECK_CONSENT,
        CHECK_ON,
        PRESSURE,
        common.WEIGHT,
        GLUCOSE,
        BLOOD,
        TRANSAMINASE,
        CARDIOGRAM,
        *SUPPLEMENT,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    derive=worst_part,
    marks=marks,
    owes=owes,
)
