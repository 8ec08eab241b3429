"""新生儿家庭访视: within a week after leaving hospital, with the mother's visit (domain.md A8, M-1, M-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.body import HEAD, TEMPERATURE, body_length, child_weight, examined
from handlers.forms.danger import plain_danger_step
from handlers.forms.event import NOTE
from handlers.protocols import newborn
from handlers.protocols.newborn import DANGER_SIGNS, FULL_MONTH, NEWBORN_DAYS, REFER_SIGNS
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options
from models.conversation import Doubt

DANGER = plain_danger_step(
    DANGER_SIGNS,
    "孩子有没有下面的情况?",
    said={
        "dull": ("反应差", "不吃奶", "吸吮无力", "叫不醒", "面色发灰"),
        "hard_breathing": ("呼吸困难", "呼吸暂停", "憋气"),
        "convulsion": ("抽搐", "抽风", "惊厥"),
        "pale_blue_cold": ("发紫", "青紫", "手脚冰凉", "苍白"),
        "eye_pus": ("眼睛流脓",),
        "ear_pus": ("耳朵流脓",),
        "belly": ("吐绿水", "肚子胀又吐"),
        "navel": ("脐部流脓", "肚脐流脓", "脐部红肿", "肚脐红肿"),
        "pale_stool": ("大便发白", "白色大便"),
        "none": ("都好", "一切正常", "无异常", "未见异常", "没有异常", "好着"),
    },
)
JAUNDICE = SelectOne(
    field="jaundice", title="黄疸部位", ask="黄到哪里?", words=("黄疸", "黄到"),
    options=options(
        (1, "无", "没有黄疸", "无黄疸", "不黄", "没黄", "~退了", "黄疸退了", "黄疸消退"), (2, "面部", "脸", "脸黄", "面黄"), (3, "躯干", "身上", "身上黄", "肚子黄"),
        (4, "四肢", "手臂", "腿黄"), (5, "手足", "手心脚心", "手掌脚底", "手脚心", "全身黄"),
    ),
    bare=("没有黄疸", "无黄疸", "不黄", "没黄", "黄疸退了", "黄疸消退", "脸黄", "面黄", "身上黄", "手心脚心", "全身黄"),
)  # fmt: skip
FEEDING = SelectOne(
    field="feeding", title="喂养方式", ask="怎么喂的?", words=("喂养",),
    options=options((1, "纯母乳", "母乳", "纯母乳喂养", "吃母乳"), (2, "混合", "混合喂养"), (3, "人工", "人工喂养", "奶粉", "吃奶粉")),
)  # fmt: skip
CORD = SelectOne(
    field="umbilical_cord", title="脐带", ask="脐带怎么样?", words=("脐带", "脐部", "肚脐"),
    options=options((1, "未脱", "没掉", "没脱"), (2, "脱落", "掉了", "已脱", "脱了"), (3, "有渗出", "渗水", "湿"), (4, "其他")),
)  # fmt: skip
HEART = Number(
    field="heart_rate", title="心率", ask="心率多少?(次/分)没数可以跳过。", words=("心跳", "脉搏"), unit="次/分", units={"次/分": 1, "次": 1},
    alone=(), possible=(15, 300), sure=(80, 200), optional=True,
)  # fmt: skip
BREATHS = Number(
    field="respiration", title="呼吸", ask="呼吸多少?(次/分)没数可以跳过。", words=("呼吸频率",), unit="次/分", units={"次/分": 1, "次": 1},
    alone=(), possible=(5, 120), sure=(15, 80), optional=True,
)  # fmt: skip
BIRTH_WEIGHT = Number(
    field="birth_weight", title="出生体重", ask="出生体重多少?(公斤)", words=("出生体重", "生下来", "出生时", "出生"), unit="kg",
    units={"kg": 1, "公斤": 1, "千克": 1, "斤": 0.5, "g": 0.001, "克": 0.001}, alone=(), possible=(0.5, 7), sure=(1.8, 5), decimals=2,
    when=lambda known: "birth_weight" not in known.details,
)  # fmt: skip
REFER = SelectMany(
    field="refer_signs", title="建议转诊的情况", words=("建议转诊",), none_code="none", asked=False,
    options=options(*((code, label, *(("流眼泪", "眼屎多") if code == "tears" else ("红疹", "起疹子") if code == "skin" else ())) for code, label in REFER_SIGNS.items())),
)  # fmt: skip
YES_NO = options((1, "无", "没有"), (2, "有"))


def asked_once(field: str, title: str, *words: str) -> SelectOne:
    return SelectOne(field=field, title=title, words=words, options=YES_NO, asked=False, bare=())


def admits(known: Known) -> Doubt | None:
    """A child in its first four weeks, whose birthday is known."""
    if known.born_on is None:
        return Doubt("档案里没有出生日期。请先补上出生日期,或发“取消”。", [])
    days = (known.on - known.born_on).days
    if days > NEWBORN_DAYS:
        ask = f"出生已经{days}天,新生儿访视是28天以内的;满月以后请记“儿童体检”。还要记吗?不记发“取消”。"
        return Doubt(ask, [("照记,算迟访", {"outside": 1})])
    return None


def check(known: Known) -> Doubt | None:
    """Nobody is visited before the birth, nor leaves hospital before it or after the visit."""
    left = known.answers.get("discharged_on")
    born = known.born_on.isoformat() if known.born_on else ""
    if born and known.on.isoformat() < born:
        return Doubt(f"访视日期{known.on}在出生({born})之前,请再写一次日期。", [])
    if left and born and (left < born or left > known.on.isoformat()):
        return Doubt(f"出院日期{left}应在出生({born})和访视({known.on})之间,请再写一次出院日期。", [])
    return None


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    return {"age_days": (known.on - known.born_on).days} if known.born_on else {}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """A newborn counts once as visited, and among the children followed."""
    return ["person.newborns_visited", "person.children_followed"] if answers.get("mode") != 3 else []


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The check of the full month, from the 28th day; after a referral this visit again."""
    if decision is None or known.born_on is None:
        return Due()
    details = {"birth_weight": answers["birth_weight"]} if "birth_weight" in answers else {}
    if decision.refer or decision.next_due_on != max(
        known.born_on + timedelta(days=FULL_MONTH[1]), known.on + timedelta(days=1)
    ):
        return Due(on=decision.next_due_on, service="newborn_visit", details=details)
    opens = known.born_on + timedelta(days=FULL_MONTH[0])
    return Due(on=decision.next_due_on, opens_on=opens, service="child_check", details=details)


form = Form(
    code="newborn_visit",
    title="新生儿访视",
    about="resident",
    words=("新生儿访视", "新生儿家庭访视", "新生儿随访", "看月子里的孩子", "新生儿"),
    needs=("jaundice", "umbilical_cord"),
    programme="child",
    protocol=newborn.protocol,
    enrols="always",
    fits=lambda known: known.born_on is not None and (known.today - known.born_on).days <= NEWBORN_DAYS,
    admits=admits,
    check=check,
    derive=derive,
    marks=marks,
    owes=owes,
    steps=(
        common.ON,
        *ABSENCE,
        child_weight(),
        BIRTH_WEIGHT,
        TEMPERATURE,
        JAUNDICE,
        CORD,
        FEEDING,
        DANGER,
        BREATHS,
        HEART,
        REFER,
        common.MODE_LATER,
        body_length(asked=False),
        HEAD,
        Day(field="discharged_on", title="出院日期", words=("出院", "出院日期"), after=("出院",), bare=False, asked=False),
        Number(field="gestational_weeks", title="出生孕周", words=("孕周", "孕"), unit="周", units={"周": 1}, unit_needed=True, possible=(20, 45), alone=(), asked=False),
        SelectOne(
            field="delivery", title="出生情况", words=("出生情况",), asked=False, bare=("顺产", "剖宫产", "剖腹产"),
            options=options((1, "顺产"), (2, "胎头吸引"), (3, "产钳"), (4, "剖宫产", "剖腹产", "剖宫"), (5, "双多胎"), (6, "臀位"), (7, "其他")),
        ),
        asked_once("twins", "双多胎", "双胞胎", "双胎"),
        asked_once("asphyxia", "窒息", "窒息"),
        asked_once("malformation", "畸形", "畸形"),
        SelectOne(field="hearing", title="听力筛查", words=("听力筛查", "听筛"), asked=False, bare=(), options=options((1, "通过"), (2, "未通过", "没过"), (3, "未筛查", "没做"), (4, "不详"))),
        SelectOne(
            field="disease_screening", title="疾病筛查", words=("疾病筛查", "足跟血"), asked=False, bare=(),
            options=options((1, "未进行", "没做"), (2, "均阴性", "正常", "阴性"), (3, "甲低"), (4, "苯丙酮尿症"), (5, "其他遗传代谢病")),
        ),
        SelectOne(field="complexion", title="面色", words=("面色", "脸色"), asked=False, bare=(), options=options((1, "红润"), (2, "黄染"), (3, "其他"))),
        asked_once("vomiting", "呕吐", "呕吐", "吐奶"),
        SelectOne(field="stool", title="大便", words=("大便",), asked=False, bare=(), options=options((1, "糊状", "正常"), (2, "稀"), (3, "其他"))),
        examined("fontanelle_look", "前囟", "囟门"),
        examined("eyes", "眼睛", "眼外观"),
        examined("ears", "耳外观", "耳朵"),
        examined("mouth", "口腔"),
        examined("heart_lungs", "心肺"),
        examined("abdomen", "腹部"),
        examined("limbs", "四肢活动度"),
        examined("skin", "皮肤"),
        examined("genitals", "肛门外生殖器"),
        Text(field="guidance", title="指导", words=("指导",), asked=False),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        NOTE,
        common.NEXT,
    ),
)  # fmt: skip
