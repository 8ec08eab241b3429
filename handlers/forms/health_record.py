"""居民健康档案: register a resident, with identity-number checks and a question where somebody may be there already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import update

from handlers.form import Form
from handlers.forms.event import Place
from handlers.residents import describe, looks_like_name
from handlers.steps import Answer, Day, Found, Known, NotUnderstood, SelectMany, SelectOne, Step, Text, options
from handlers.turn import Turn
from models import registry
from models.conversation import Doubt, Draft
from models.identity import IDENTITY, NotAnIdentity, check_identity, mask_identity, mask_phone, read_phone
from models.message import mark_name
from models.people import full_years
from models.record import Record
from models.services import FIRST_VISIT_DAYS

_OLD_NUMBER = re.compile(r"(?<![\dA-Za-z.])\d{15}(?![\dA-Za-z.])")  # refused, and said why
_PHONE = re.compile(r"(?<![\d-])(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)")
PROGRAMME_CODES = {
    1: "hypertension", 2: "diabetes", 3: "mental_health", 4: "tb", 5: "copd", 6: "pneumoconiosis", 7: "maternal", 8: "child",
    9: "elderly", 10: "rehabilitation", 11: "vaccination",
}  # fmt: skip
"""Every programme; a test holds the list complete."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IdentityNumber(Step):
    """An 18-digit identity number. Gives sex and date of birth too, and never leaves the conversation in clear."""

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def read(self, text: str, known: Known) -> Answer:
        try:
            identity = check_identity(text, known.today)
        except NotAnIdentity as error:
            raise NotUnderstood(str(error)) from None
        return Answer(
            {self.field: identity.number, "born_on": identity.born_on.isoformat(), "sex": _SEX_CODES[identity.sex]}
        )

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in (*IDENTITY.finditer(line), *_OLD_NUMBER.finditer(line)):
            yield Found(*match.span(), self.read_in_line(match[0], known), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        return mask_identity(answers[self.field])


@dataclass(frozen=True, kw_only=True, eq=False)
class Phone(Step):
    """A mobile or landline number. Elders often share a child's phone, so it is never a key."""

    def read(self, text: str, known: Known) -> Answer:
        phone = read_phone(text)
        if phone is None:
            raise NotUnderstood("没看懂电话。请发11位手机号,或带区号的座机,例如 0745-7712345。")
        return Answer({self.field: phone})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for word in _PHONE.finditer(line):
            if (phone := read_phone(word[0])) is not None:
                yield Found(word.start(), word.end(), Answer({self.field: phone}), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        return mask_phone(answers[self.field])


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonName(Text):
    """A name nobody bears on the register yet: recognised where it stands apart, after 登记 or 姓名, before 男 or 女."""

    def read(self, text: str, known: Known) -> Answer:
        if re.search(r"\d", text):
            raise NotUnderstood("姓名里不能有数字,请只发姓名。")
        if _CALLED.fullmatch(text.strip()):
            raise NotUnderstood(f"“{text.strip()}”是称呼,请发身份证或户口本上的姓名。")
        return super().read(text, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for word in _HAN.finditer(line):
            name = _AROUND_A_NAME.fullmatch(word[0])
            if name and looks_like_name(name["name"]) and not is_place(name["name"], known):
                start = word.start() + name.start("name")
                answer = Answer({self.field: name["name"]})
                if _CALLED.fullmatch(name["name"]):
                    answer = Answer({}, Doubt(f"“{name['name']}”是称呼,请发身份证或户口本上的姓名。", []))
                yield Found(start, start + len(name["name"]), answer)
                return


@dataclass(frozen=True, kw_only=True, eq=False)
class VillageGroup(Text):
    """3组, 第三村民小组: kept as 3组."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _GROUP.finditer(line):
            yield Found(match.start(), match.end(), Answer({self.field: f"{match[1]}组"}), announced=True)


def is_place(word: str, known: Known) -> bool:
    """石桥村, 石桥: not somebody called so."""
    return word.endswith("村") or any(word == name.removesuffix("村") for _, name in known.villages)


_CALLED = re.compile(
    r"[老小]?[\u4e00-\u9fff]{1,2}(?:大爷|大伯|大叔|大娘|大妈|大婶|大姐|大哥|大嫂|爷爷|奶奶|老头|老太|老汉|老师|师傅|医生|先生|女士|同志|婆婆|公公|伯伯|叔叔"
    r"|阿姨|婶子|嫂子)|[\u4e00-\u9fff][婶嫂叔伯爷奶姨姑舅哥姐某]|老[\u4e00-\u9fff]"
)
"""How somebody is called, and no name that stands on an identity card: 蒲大爷, 老杨."""
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_AROUND_A_NAME = re.compile(
    r"(?:(?:新?登记|新?建档|建立健康档案|新建档案|新增|档案|居民|姓名|一下|一个|给|为|新来的|刚搬来的|叫)*)(?P<name>[\u4e00-\u9fff]{2,4}?)[男女]?性?"
)
_GROUP = re.compile(r"第?(\d{1,2})\s*(?:村民)?小?组")
_SEX_CODES = {"male": 1, "female": 2}
SEXES = {1: "male", 2: "female"}


NAME = PersonName(field="name", title="姓名", ask="居民姓名?", words=("姓名",), longest=20)
IDENTITY_NUMBER = IdentityNumber(
    field="identity_number", title="身份证号", ask="身份证号?没有可以跳过。", words=("身份证",), optional=True
)
SEX = SelectOne(
    field="sex",
    title="性别",
    ask="性别?",
    words=("性别",),
    options=options((1, "男", "=男", "男性"), (2, "女", "=女", "女性")),
)
BORN_ON = Day(
    field="born_on", title="出生日期", ask="出生日期?(公历,例如 1957-03-12)", words=("出生", "生日", "生于", "出生于"),
    after=("出生", "生的", "生"), with_year=True,
)  # fmt: skip
VILLAGE = Place(field="village", title="居住村", ask="住在哪个村?", words=("住",))
GROUP = VillageGroup(field="village_group", title="村民小组", words=("小组",), asked=False, longest=20)
HOUSEHOLDER = Text(
    field="householder", title="户主", words=("户主",), asked=False, longest=20, like=r"[\u4e00-\u9fff]{2,4}"
)
PHONE = Phone(field="phone", title="电话", words=("电话", "手机"), optional=True, ask="联系电话?没有可以跳过。")
GROUPS = SelectMany(
    field="population_groups",
    title="人群类别",
    none_code=0,
    asked=False,
    options=options(
        (0, "一般人群"),
        (1, "残疾人"),
        (2, "脱贫人口", "贫困户", "脱贫户"),
        (3, "低保", "低保户"),
        (4, "特困", "五保户"),
        (5, "计划生育特殊家庭"),
        (6, "孕产妇"),
        (7, "0-6岁儿童"),
    ),
)
PROGRAMMES = SelectMany(
    field="programmes",
    title="管理项目",
    ask="要纳入哪些管理?可以多选。",
    words=("管理",),
    none_code=0,
    options=options(
        (0, "都不是", "~无", "~没有", "~没", "~健康", "~都没有"),
        (1, "高血压"),
        (2, "糖尿病", "2型糖尿病"),
        (3, "严重精神障碍"),
        (4, "肺结核"),
        (5, "慢阻肺"),
        (6, "尘肺病", "尘肺"),
        (7, "孕产妇管理", "~孕产妇"),
        (8, "儿童健康管理", "~儿童"),
        (9, "老年人健康管理", "~老年人"),
        (10, "残疾人康复", "康复管理"),
        (11, "预防接种"),
    ),
)
GROWN_UP = 18
OLD = 65  # years; the county's own age is asked at the check


def not_for(known: Known) -> dict[int, str]:
    """Programmes that cannot be this person's, with the reason, as far as sex and birthday are told."""
    answers = known.answers
    born_on = date.fromisoformat(answers["born_on"]) if "born_on" in answers else None
    age = full_years(born_on, known.on) if born_on else None
    odd = {7: "登记的是男性"} if answers.get("sex") == 1 else {}
    if age is not None and age >= GROWN_UP:
        odd |= {8: f"已经{age}岁", 11: f"已经{age}岁"}
    if age is not None and age < OLD:
        odd[9] = f"才{age}岁"
    return odd


def check(known: Known) -> Doubt | None:
    """The village must be one of the doctor's own: a record without a village is nobody's."""
    if "village" in known.answers and "village_id" not in known.answers:
        names = "、".join(name for _, name in known.villages[:8])
        return Doubt(f"“{known.answers['village']}”不在您负责的村里。请选:{names}。", [])
    chosen, odd = known.answers.get("programmes", []), not_for(known)
    if wrong := next((code for code in chosen if code in odd), None):
        left = [code for code in chosen if code not in odd] or [0]
        title = PROGRAMMES.option(wrong).label  # type: ignore[union-attr]
        return Doubt(
            f"{odd[wrong]},不纳入{title}。性别或生日填错了请改那一项。", [(f"去掉{title}", {"programmes": left})]
        )
    return None


def notices(turn: Turn, draft: Draft) -> tuple[str, Doubt] | None:
    """The same number is the same person; the same name in the village may be."""
    answers = draft.answers
    if identity := answers.get("identity_number"):
        known = registry.with_identity(turn.session, identity)
        if known is not None:
            who = turn.resident(known.id)
            where = f"是{mark_name(who.name)} {describe(turn, who)}" if who else "在别的村,请联系公卫科"
            ask = f"这个身份证号已经登记过,{where}。同一个号就是同一个人,不用再建,请发“取消”;号码填错了请重发。"
            return "identity_number", Doubt(ask, [])
    if "namesake_checked" in answers or "village_id" not in answers or "name" not in answers:
        return None
    born_on = date.fromisoformat(answers["born_on"]) if "born_on" in answers else None
    same = registry.possible_duplicates(turn.session, answers["name"], born_on, answers["village_id"])
    if not same:
        return None
    people = "、".join(f"{mark_name(r.name)} {describe(turn, r)}" for r in same[:3])
    ask = f"村里已经有{people}。是同一个人就不用再建,请发“取消”。"
    return "namesake_checked", Doubt(ask, [("不是,是另一个人", {"namesake_checked": 1})])


def finish(turn: Turn, record: Record) -> None:
    """Register the resident and enrol them; sensitive fields move to sealed columns and leave the record's answers."""
    answers = dict(record.answers)
    told: registry.Particulars = {
        "identity": answers.pop("identity_number", None),
        "phone": answers.pop("phone", None),
        "name": answers["name"],
        "sex": SEXES.get(answers.get("sex", 0)),
        "born_on": date.fromisoformat(answers["born_on"]) if "born_on" in answers else None,
        "village_id": answers["village_id"],
        "village_group": answers.get("village_group"),
        "householder": answers.get("householder"),
        "groups": [GROUPS.option(code).label for code in answers.get("population_groups", []) if code],  # type: ignore[union-attr]
        "registered_on": record.on,
        "worker_id": turn.worker.id,
    }
    corrected = turn.resident(record.resident_id) if record.corrects_id else None
    if corrected is not None:
        told["worker_id"] = corrected.worker_id
        resident = registry.correct_resident(turn.session, corrected, now=turn.now, by=turn.worker.id, **told)
    else:
        resident = registry.register_resident(turn.session, now=turn.now, by=turn.worker.id, **told)
    for code in answers.get("programmes", []):
        if code in PROGRAMME_CODES:
            programme = PROGRAMME_CODES[code]
            due_on = turn.today + timedelta(days=FIRST_VISIT_DAYS.get(programme, 0))
            registry.enrol(turn.session, resident, programme, since=turn.today, next_due_on=due_on)
    record.answers, record.resident_id = answers, resident.id


def undo(turn: Turn, record: Record) -> None:
    """A registration withdrawn: the resident is on no list any more, and the identity number is free again."""
    resident = turn.resident(record.resident_id)
    if resident is not None and record.status == "withdrawn":
        turn.session.flush()
        own = (Record.resident_id == resident.id) & (Record.service == form.code) & (Record.status != "current")
        turn.session.execute(update(Record).where(own).values(resident_id=None))
        registry.unregister(turn.session, resident, record.on, turn.now, by=turn.worker.id)


form = Form(
    code="health_record",
    title="建立健康档案",
    about="new_resident",
    hints=("新来", "新搬来", "新迁来", "新迁入", "外地搬来"),
    words=("建立健康档案", "建档", "登记", "新建档案", "新增居民"),
    steps=(
        Day(field="on", title="建档日期", words=("日期",), bare=False, asked=False),
        NAME, IDENTITY_NUMBER, SEX, BORN_ON, VILLAGE, GROUP, HOUSEHOLDER, PHONE, GROUPS, PROGRAMMES,
    ),
    check=check,
    notices=notices,
    finish=finish,
    undo=undo,
)  # fmt: skip
