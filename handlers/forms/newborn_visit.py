"""新生儿访视: the newborn at home, with the two lists of referral; the child gets its name here (domain.md A8, M-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.body import HEAD, KILOS, TEMPERATURE, body_length, child_weight, examined
from handlers.forms.child_check import FEEDING, count
from handlers.forms.danger import plain_danger_step
from handlers.protocols import newborn
from handlers.protocols.child_check import FIRST_CHECK_DAYS
from handlers.protocols.newborn import AT_ONCE, TO_BE_SEEN
from handlers.residents import looks_like_name
from handlers.steps import Answer, Known, NotUnderstood, Number, SelectMany, SelectOne, Text, options
from handlers.turn import Turn
from models import registry
from models.conversation import Doubt
from models.record import Record

LATEST = 60  # days; an older child has a check by age


class GivenName(Text):
    """The child's own name."""

    def read(self, text: str, known: Known) -> Answer:
        if not looks_like_name(text.strip()):
            raise NotUnderstood("请只发宝宝的姓名,例如 周一诺;还没取名可以跳过。")
        return super().read(text, known)


GIVEN_NAME = GivenName(
    field="given_name", title="宝宝姓名", ask="宝宝取名了吗?请发姓名;没取可以跳过。", words=("取名", "宝宝叫", "名字叫", "姓名"), longest=20, optional=True,
    asked=False, like=r"[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])",
)  # fmt: skip
DANGER = plain_danger_step(
    {**AT_ONCE, "none": "以上都没有"},
    "宝宝有没有下面的情况?(有一项就要立即转诊)",
    said={
        "poor_response": (
            "反应差",
            "不吃奶",
            "不肯吃奶",
            "吸吮无力",
            "吃奶没力",
            "吃奶无力",
            "吸奶没力",
            "没力吃奶",
            "叫不醒",
        ),
        "hard_breathing": ("呼吸困难", "气促", "鼻翼扇动"),
        "apnoea": ("呼吸暂停",),
        "cold_limbs": ("手脚冰凉", "四肢冰冷"),
        "pale_or_blue": ("嘴唇发紫", "皮肤发绀", "出血点", "脸色苍白"),
        "convulsion": ("抽搐", "抽风"),
        "floppy": ("软绵绵", "无握持反射"),
        "pus_eyes": ("眼睛流脓",),
        "green_vomit": ("吐绿水", "吐胆汁"),
        "navel_infected": ("脐轮红肿", "肚脐流脓", "脐部流脓"),
        "navel_granulation": ("脐肉芽",),
        "belly_vomiting": ("肚子胀又吐",),
    },
)
JAUNDICE = SelectOne(
    field="jaundice", title="黄疸部位", ask="黄到哪里?", words=("黄疸", "皮肤黄", "黄染", "黄到"),
    options=options(
        (1, "无", "~无", "~没有", "~没", "*黄疸退了", "*黄疸消退", "*无黄疸", "*没有黄疸", "不黄", "退了"), (2, "面部", "脸上", "*脸黄", "*脸有点黄", "*脸上黄", "*脸上有点黄", "*脸发黄"), (3, "躯干", "身上", "胸腹", "肚子", "胸口"), (4, "四肢", "手臂和腿", "大腿", "小腿"),
        (5, "手足(手掌脚底)", "手足", "手掌", "脚底", "脚掌", "手心", "脚心", "手心脚心", "手脚心", "*手心脚心黄", "*手心脚心都黄", "*手心都黄", "*脚心都黄", "*手脚心黄", "*手掌黄", "*脚底黄", "*手脚都黄"),
    ),
)  # fmt: skip
CORD = SelectOne(
    field="umbilical_cord", title="脐带", ask="脐带怎么样?", words=("脐带", "脐部", "肚脐"),
    options=options((1, "未脱", "没掉", "还没掉", "未脱落", "没脱", "还没脱", "*脐带没掉"), (2, "脱落", "掉了", "脱了", "已脱", "*脐带掉了", "*脐带脱落"), (3, "脐部有渗出", "渗出", "有水"), (4, "其他", "=其他")),
)  # fmt: skip
BREATHING = Number(
    field="respiration", title="呼吸", ask="呼吸一分钟多少次?(数满一分钟)没数可以跳过。", words=("呼吸频率", "R"), unit="次/分",
    units={"次/分": 1, "次": 1, "/分": 1}, alone=(), possible=(5, 150), sure=(20, 80), optional=True,
)  # fmt: skip
HEART = Number(
    field="heart_rate", title="心率", words=("脉率", "脉搏", "心跳"), unit="次/分", units={"次/分": 1, "次": 1, "/分": 1}, alone=(), possible=(15, 300),
    sure=(90, 200), asked=False,
)  # fmt: skip
BIRTH_WEIGHT = Number(
    field="birth_weight", title="出生体重", ask="出生体重多少?(公斤)", words=("出生时", "生下来"), unit="kg", units=KILOS, alone=(), possible=(0.4, 7),
    sure=(2.5, 5), decimals=2, optional=True, calls=lambda known: "birth_weight" not in known.details,
)  # fmt: skip
REFER_SIGNS = SelectMany(
    field="refer_signs", title="建议转诊的情况", none_code=0, asked=False,
    options=options(
        (0, "没有", "~没有", "~无"),
        *((code, label, *{1: ("不会吃奶", "喂养困难"), 2: ("皮疹", "起疹子"), 3: ("眼屎多", "流泪"), 8: ("大便发白", "白陶土便", "大便灰白")}.get(code, ()))
          for code, label in TO_BE_SEEN.items()),
    ),
)  # fmt: skip
BIRTH_MODE = SelectMany(
    field="birth_mode", title="出生情况", none_code="", asked=False,
    options=options((1, "顺产"), (2, "胎头吸引"), (3, "产钳"), (4, "剖宫产", "剖腹产"), (5, "双多胎", "双胞胎"), (6, "臀位"), (7, "其他", "=其他")),
)  # fmt: skip
DISEASE_SCREENING = SelectMany(
    field="disease_screening", title="新生儿疾病筛查", words=("疾病筛查", "足跟血"), none_code=2, asked=False,
    options=options((1, "未进行", "没采", "没做"), (2, "检查均阴性", "都阴性", "正常"), (3, "甲低待复查", "甲低"), (4, "苯丙酮尿症待复查", "苯丙酮"), (5, "其他遗传代谢病待复查")),
)  # fmt: skip
HEARING = common.coded("hearing", "听力筛查", (1, "通过", "过了"), (2, "未通过", "没通过", "没过"), (3, "未筛查", "没做"), (4, "不详"), words=("听力",))  # fmt: skip
PARENTS = tuple(
    Text(field=field, title=title, words=(title,), asked=False, longest=60)
    for field, title in (("father", "父亲"), ("mother", "母亲"), ("birth_place", "助产机构"))
)


def admits(known: Known) -> Doubt | None:
    """A newborn with a birthday."""
    if known.born_on is None:
        return Doubt(
            "档案里没有出生日期,请先补上,或发“取消”。宝宝还没登记的,先给妈妈记产前随访“生了”,宝宝会自动登记。", []
        )
    days = (known.on - known.born_on).days
    if days > LATEST:
        mother = (known.age or 0) >= 12
        tip = "宝宝还没登记的,先给妈妈记“生了”,宝宝会自动登记。" if mother else "大一点的孩子请记“儿童健康检查”。"
        return Doubt(f"新生儿访视只记刚出生的宝宝。{tip}不记了发“取消”。", [])
    return None


def check(known: Known) -> Doubt | None:
    """Not before the birth; as late as the first check, it is asked which of the two it is."""
    if known.born_on is None:
        return None
    days = (known.on - known.born_on).days
    if days < 0:
        return Doubt(f"访视日期{known.on}在出生({known.born_on})之前,请再写一次日期。", [])
    if days >= FIRST_CHECK_DAYS and "newborn_checked" not in known.answers:
        return Doubt(
            f"已经{days}天了,是满月检查吗?是的请发“取消”,再发“满月检查 姓名”。",
            [("就是新生儿访视", {"newborn_checked": 1})],
        )
    return None


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return [] if common.by_telephone(answers) else ["person.newborns_visited", "person.children_followed"]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The first month's check; after a call the visit itself."""
    weight = {"birth_weight": answers["birth_weight"]} if "birth_weight" in answers else {}
    if decision is None or decision.next_due_on is None:
        return Due(details=weight)
    opens_on = common.opens_on(newborn.window(common.findings_of(answers, known)), decision)
    month = known.born_on is not None and opens_on is not None and opens_on > known.on
    service = "child_check" if month else "newborn_visit"
    return Due(on=decision.next_due_on, opens_on=opens_on, service=service, details=weight)


def finish(turn: Turn, record: Record) -> None:
    """The child has a name of its own now."""
    resident, name = turn.resident(record.resident_id), record.answers.get("given_name")
    if resident is not None and name and name != resident.name:
        registry.rename_resident(turn.session, resident, name, turn.now, by=turn.worker.id)


form = Form(
    code="newborn_visit",
    title="新生儿访视",
    about="resident",
    words=("新生儿访视", "新生儿家访", "新生儿随访", "宝宝访视"),
    hints=("访视",),
    needs=("umbilical_cord", "jaundice", "birth_weight"),
    shows=("weight", "jaundice", "umbilical_cord"),
    programme="child",
    protocol=newborn.protocol,
    enrols="always",
    fits=lambda known: known.born_on is not None and 0 <= (known.today - known.born_on).days < FIRST_CHECK_DAYS,
    admits=admits,
    steps=(
        common.ON,
        *ABSENCE,
        GIVEN_NAME,
        DANGER,
        child_weight(),
        BIRTH_WEIGHT,
        TEMPERATURE,
        BREATHING,
        JAUNDICE,
        CORD,
        replace(FEEDING, asked=True, ask="怎么喂养?"),
        common.MODE_LATER,
        HEART,
        body_length(asked=False),
        HEAD,
        common.coded("complexion", "面色", (1, "红润"), (2, "黄染", "黄"), (3, "其他", "苍白", "发紫"), words=("脸色",)),
        count("milk_per_feed", "吃奶量", "ml/次", (0, 250), sure=(5, 180)),
        count("feeds", "吃奶次数", "次/日", (0, 30), sure=(4, 20)),
        common.coded("vomiting", "呕吐", (1, "无", "没有"), (2, "有"), words=("吐奶",)),
        common.coded("stool", "大便", (1, "糊状", "正常"), (2, "稀", "拉稀"), (3, "其他"), words=("大便",)),
        count("stools", "大便次数", "次/日", (0, 30), sure=(0, 15)),
        count("fontanelle", "前囟", "cm", (0, 6), decimals=1, sure=(0, 4)),
        REFER_SIGNS,
        *(examined(part, title) for part, title in newborn.EXAMINED_TITLES.items()),
        BIRTH_MODE,
        replace(count("birth_weeks", "出生孕周", "周", (20, 44), "足月", "孕周", sure=(28, 43)), alone=("周",), apart=True),
        SelectMany(
            field="mothers_illness", title="母亲孕期患病", none_code=1, asked=False,
            options=options((1, "无", "~无"), (2, "糖尿病"), (3, "妊娠期高血压"), (4, "其他", "=其他")),
        ),
        common.coded("asphyxia", "新生儿窒息", (1, "无", "没有"), (2, "有"), words=("窒息",)),
        count("apgar_1", "Apgar评分1分钟", "分", (0, 10)),
        count("apgar_5", "Apgar评分5分钟", "分", (0, 10)),
        common.coded("malformation", "畸形", (1, "无", "没有"), (2, "有")),
        HEARING,
        DISEASE_SCREENING,
        *PARENTS,
        SelectMany(
            field="guidance", title="指导", none_code="", asked=False, advice=True, words=("指导",),
            options=options((1, "喂养"), (2, "发育"), (3, "防病"), (4, "预防伤害"), (5, "口腔保健"), (6, "其他", "=其他")),
        ),
        Text(field="note", title="备注", words=("备注",), asked=False),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    at_once=True,
    marks=marks,
    owes=owes,
    finish=finish,
)  # fmt: skip
