"""The people of the synthetic county: who they are called, how old they are, what they have. 示例人群

The cast lives in 李梅's three villages and is the same in the demo, the tests and the README. Everyone else is drawn with
the shares of the county in domain.md F1. Nobody here exists: any likeness is chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from operator import mul
from random import Random

from models.people import full_years

COUNTY = ("431281", "洪江示例市")  # the code of the real place, so that numbers check; a name that no real place bears
TOWNSHIPS = (
    "托口镇 安江镇 黔城镇 雪峰镇 江市镇 沅河镇 塘湾镇 双溪镇 岔头乡 茅渡乡 大崇乡 熟坪乡 铁山乡 群峰乡 湾溪乡 洗马乡 沙湾乡 "
    "太平乡 岩垅乡 硖洲乡 红岩乡 土溪乡 横岩乡 堙上乡 沅城乡 龙田乡 深渡苗族乡 龙船塘瑶族乡"
).split()
HOME_VILLAGES = ("石桥村", "三里坪村", "白龙村")
"""李梅's villages, in 托口镇."""
_VILLAGES = [
    head + tail + "村"
    for head, tail in product(
        "白石龙桐枫茶梅竹松柏双大小青沙黄岩铜新老长高清响莲樟铁金水云", "溪坪冲塘湾坡桥田岭洞坳垅江"
    )
    if head + tail != "石桥"
]

SURNAMES = (
    "李 王 张 刘 陈 杨 黄 周 吴 罗 龙 向 覃 唐 谢 蒋 邓 彭 曾 肖 田 谭 贺 邱 夏 段 钟 汤 易 舒 滕 蒲 瞿 丁 申 胡 许 何 "
    "郭 林 高 梁 郑 宋 韩 冯 于 董 程 曹 袁 傅 沈 吕 苏 卢 蔡 贾 魏 薛 叶 余 潘 杜 戴 任 姜 石 尹 粟 欧阳"
).split()
_GIVEN = {  # (female, grown up before 1985) -> given names
    (True, True): [a + b for a, b in product("桂秀玉凤春兰金银菊莲翠爱月冬腊满细", "兰英珍梅莲芳云娥香花秀菊枝妹翠")],
    (True, False): [a + b for a, b in product("子雨欣梓诗思佳晓雅婷语若", "涵萱怡琪妍彤悦宁晴瑶颖")],
    (False, True): [a + b for a, b in product("德大志建国长光明正先昌文永", "生福华贵平强军山林兵成发清")],
    (False, False): [a + b for a, b in product("子浩宇俊梓家天文博泽嘉", "轩涵杰豪宇然辰凯睿航")],
}
AGES = ((0, 6, 0.070), (7, 14, 0.100), (15, 44, 0.420), (45, 64, 0.333), (65, 92, 0.077))
"""First and last age of a band, and its share; 65 and over as 32,987 of 428,008 (F1)."""

Chance = tuple[tuple[int, int, float], ...]
PREVALENCE: dict[str, Chance] = {  # by age; over everybody they come to the shares noted
    "hypertension": ((35, 44, 0.020), (45, 64, 0.083), (65, 120, 0.300)),  # 5.35 %
    "diabetes": ((35, 44, 0.007), (45, 64, 0.033), (65, 120, 0.110)),  # 2.04 %
    "mental_health": ((18, 120, 0.0051),),  # 0.40 %
    "tb": ((15, 120, 0.0005),),  # 0.04 %
    "copd": ((45, 64, 0.003), (65, 120, 0.020)),
    "pneumoconiosis": ((45, 92, 0.00115),),  # 0.05 %, men only: doubled there
    "child": ((0, 6, 1.0),),
    "maternal": ((20, 40, 0.046),),  # 0.7 %, women only
}
INTERVAL = {  # days between two visits when all is well
    "hypertension": 92, "diabetes": 92, "mental_health": 92, "tb": 30, "copd": 92, "pneumoconiosis": 92, "child": 182,
    "maternal": 28,
}  # fmt: skip
GROUPS = {"hypertension": "高血压", "diabetes": "糖尿病", "mental_health": "严重精神障碍", "tb": "肺结核", "child": "儿童",
          "maternal": "孕产妇", "copd": "慢阻肺"}  # fmt: skip
POOR, DISABLED = 48_118 / 428_008, 0.024  # 脱贫人口 as in F1
OVERDUE, DUE_TODAY = 0.06, 0.025
NOT_CONTROLLED = 0.3
TWO_WEEKS = 14  # whoever is not controlled is seen again within these


@dataclass(slots=True)
class Person:
    """A resident to be. `programmes` says in how many days each next visit is due: below 0 it is overdue."""

    name: str
    female: bool
    born_on: date
    village: str = ""
    group: str = ""
    householder: str = ""
    programmes: dict[str, int] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    signed: bool = False
    weeks: int = 0
    """Of pregnancy, today."""

    def age_on(self, day: date) -> int:
        return full_years(self.born_on, day)


def cast(today: date) -> list[Person]:
    """The people whom the entry examples speak of, with ages, sexes and programmes that fit what is said of them."""

    def born(age: int, days_before: int) -> date:
        """A birthday that makes somebody `age` years old today, some days ago."""
        day = today - timedelta(days=days_before)
        return date(day.year - age, day.month, min(day.day, 28))

    shiqiao, sanliping, bailong = HOME_VILLAGES
    months = timedelta(days=30)
    people = [
        Person("张桂兰", True, born(67, 40), shiqiao, "2组", "张桂兰", {"hypertension": 0, "diabetes": 0}),
        Person("王建国", False, born(71, 100), shiqiao, "1组", "王建国", {"hypertension": 0, "diabetes": 9}),
        Person("李秀英", True, born(72, 60), shiqiao, "1组", "李秀英", {"hypertension": -3, "diabetes": -3}, signed=True),
        Person("刘志强", False, born(52, 200), shiqiao, "3组", "刘志强", {"hypertension": -18, "diabetes": -18}),
        Person("陈玉珍", True, born(65, 20), shiqiao, "2组", "陈玉珍", {"hypertension": 1}, signed=True),
        Person("仇桂芳", True, born(70, 150), shiqiao, "3组", "仇桂芳", {"hypertension": 1, "diabetes": 1}),
        Person("罗丽", True, born(36, 90), shiqiao, "4组", "罗丽"),
        Person("周小燕", True, born(27, 120), shiqiao, "4组", "周德生", {"maternal": 1}, weeks=20),
        Person("周宝宝", False, today - timedelta(days=10), shiqiao, "4组", "周德生", {"child": 0}),
        Person("张贵兰", True, born(63, 75), sanliping, "1组", "张贵兰", {"hypertension": -6, "diabetes": 20}),
        Person("覃凤英", True, born(69, 30), sanliping, "2组", "覃凤英", {"hypertension": 7, "diabetes": 7, "copd": 30}),
        Person("单雄飞", False, born(61, 160), sanliping, "2组", "单雄飞", {"hypertension": 0}),
        Person("赵大山", False, born(55, 15), sanliping, "3组", "赵大山", {"hypertension": -25, "diabetes": -25}),
        Person("向德明", False, born(44, 80), sanliping, "3组", "向德明"),
        Person("吴念念", True, today - 25 * months, sanliping, "1组", "吴家福", {"child": -8}),
        Person("李秀荣", True, born(58, 110), bailong, "1组", "李秀荣", {"diabetes": 2}),
        Person("龙老四", False, born(68, 50), bailong, "2组", "龙老四", {"hypertension": -10, "tb": -1}, signed=True),
        Person("欧阳春梅", True, born(57, 140), bailong, "1组", "欧阳春梅", {"hypertension": 12, "diabetes": -2}),
        Person("杨二狗", False, born(79, 10), bailong, "3组", "杨二狗", {"hypertension": 3, "diabetes": 0}),
        Person("黄阿贵", False, born(46, 170), bailong, "2组", "黄国福", {"mental_health": -1}),
    ]  # fmt: skip
    for person in people:
        person.groups = groups_of(person, today)
    return people


def strangers(rng: Random, today: date, number: int, *, near_cast: bool) -> list[Person]:
    """The others of a village. Near the cast nobody bears its surnames or given names: 志强 or 老杨头 is one person."""
    surnames = [s for s in SURNAMES if not (near_cast and s in _CAST_SURNAMES)]
    people: list[Person] = []
    while len(people) < number:
        size = min(rng.choice((1, 2, 2, 3, 3, 4, 4, 5)), number - len(people))
        surname = rng.choice(surnames)
        household = [_stranger(rng, today, surname, surnames, near_cast) for _ in range(size)]
        head = min(household, key=lambda person: person.born_on).name
        group = f"{rng.randint(1, 9)}组"
        for person in household:
            person.householder, person.group = head, group
        people += household
    return people


def _stranger(rng: Random, today: date, surname: str, surnames: list[str], near_cast: bool) -> Person:
    female = rng.random() < 0.487
    age = _age(rng)
    born_on = today - timedelta(days=int(age * 365.2425) + rng.randrange(365))
    if female and age > 22 and rng.random() < 0.7:
        surname = rng.choice(surnames)  # who married into the household keeps her own
    given = rng.choice(_GIVEN[female, born_on.year < 1985])
    while near_cast and given in _CAST_GIVEN:
        given = rng.choice(_GIVEN[female, born_on.year < 1985])
    person = Person(surname + given, female, born_on)
    age = person.age_on(today)
    for programme, bands in PREVALENCE.items():
        for first, last, share in bands:
            if first <= age <= last and rng.random() < share * _by_sex(programme, female):
                person.programmes[programme] = _due_in(rng, programme)
    if "maternal" in person.programmes:
        person.weeks = rng.randint(8, 38)
    person.groups = groups_of(person, today)
    if rng.random() < POOR:
        person.groups.append("脱贫人口")
    if rng.random() < DISABLED:
        person.groups.append("残疾人")
    person.signed = rng.random() < (0.73 if person.groups else 0.37)
    return person


def _age(rng: Random) -> int:
    first, last, _ = rng.choices(AGES, [share for _, _, share in AGES])[0]
    # the old are fewer with every year; within the other bands all ages are alike
    return min(first + int(rng.expovariate(1 / 8)), last) if first == 65 else rng.randint(first, last)


def _by_sex(programme: str, female: bool) -> float:
    return {"maternal": float(female), "pneumoconiosis": 2.0 * (not female)}.get(programme, 1.0)


def _due_in(rng: Random, programme: str) -> int:
    again_soon = programme in ("hypertension", "diabetes") and rng.random() < NOT_CONTROLLED
    interval = TWO_WEEKS if again_soon else INTERVAL[programme]
    chance = rng.random()
    if chance < OVERDUE:
        return -rng.randint(1, 60)
    return 0 if chance < OVERDUE + DUE_TODAY else rng.randint(1, interval - 1)


def groups_of(person: Person, today: date) -> list[str]:
    """重点人群 that follow from age and programmes."""
    old = ["老年人"] if person.age_on(today) >= 65 else []
    return old + [GROUPS[programme] for programme in person.programmes if programme in GROUPS]


def village_names(rng: Random, number: int) -> list[str]:
    """So many different names, in an order of chance; a large county has its 上 and 下 of the same name too."""
    names = [prefix + name for prefix in ("", "上", "下", "新", "中") for name in rng.sample(_VILLAGES, len(_VILLAGES))]
    return names[:number]


def worker_name(rng: Random) -> str:
    female = rng.random() < 0.5
    return rng.choice(SURNAMES) + rng.choice(_GIVEN[female, True])


_CAST = [person.name for person in cast(date(2026, 11, 22))]
_CAST_SURNAMES = {name[:2] if name.startswith("欧阳") else name[0] for name in _CAST} | {"章"}
_CAST_GIVEN = {name.removeprefix("欧阳") if name.startswith("欧阳") else name[1:] for name in _CAST}


class IdentityNumbers:
    """Identity numbers whose check digit is right, one after another for each birthday. Order codes run from 900."""

    WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

    def __init__(self, county: str) -> None:
        self._county = county
        self._used: dict[tuple[date, bool], int] = {}

    def next(self, born_on: date, female: bool) -> str:
        number = self._used.get((born_on, female), 0)
        self._used[born_on, female] = number + 1
        order = (900 + 2 * number + (not female)) % 1000  # the 17th digit is odd for a man
        digits = f"{self._county}{born_on:%Y%m%d}{order:03d}"
        checked = sum(map(mul, map(int, digits), self.WEIGHTS))
        return digits + "10X98765432"[checked % 11]
