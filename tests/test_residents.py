"""Residents are found the way doctors say them, only inside their scope, and nobody is taken for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers import residents
from handlers.turn import Turn
from models.people import HealthWorker, Resident
from models.registry import register_resident
from models.scope import scope_of
from models.seed import seed
from tests.databases import BACKENDS, fresh_store
from tests.readings import NOW, TODAY, Reader


@pytest.fixture(scope="module", params=BACKENDS)
def village(request: pytest.FixtureRequest) -> Iterator[Session]:
    with fresh_store(request.param) as store, store.write() as session:
        seed(session, TODAY, NOW, residents=90, doctors=3, history=False)
        cast = session.scalars(select(Resident).where(Resident.name == "张桂兰")).one()
        for name, born_on, group in (("王秀珍", date(1950, 3, 1), "1组"), ("王秀珍", date(1972, 5, 2), "12组")):
            register_resident(
                session, name=name, sex="female", born_on=born_on, identity=None, phone=None, village_id=cast.village_id,
                village_group=group, householder="王大富" if group == "1组" else "王有财", worker_id=cast.worker_id, groups=[],
                registered_on=TODAY, now=NOW,
            )  # fmt: skip
        yield session


@pytest.fixture
def reader(village: Session) -> Reader:
    return Reader(village)


def turn_of(session: Session, code: str) -> Turn:
    reader = Reader(session, code)
    turn = reader.hear("帮助")
    turn.scope = scope_of(session, session.scalars(select(HealthWorker).where(HealthWorker.code == code)).one())
    return turn


def named(turn: Turn, ids: list[int]) -> list[str]:
    return [resident.name for resident in map(turn.resident, ids) if resident]


def last_four(session: Session, name: str) -> str:
    number = session.scalars(select(Resident).where(Resident.name == name)).one().identity_number()
    assert number is not None
    return number[-4:]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("龙老四", ["龙老四"]),
        ("龙老师", ["龙老四"]),  # shī and sì are one in the south
        ("单雄飞", ["单雄飞"]),
        ("shanxiongfei", ["单雄飞"]),
        ("danxiongfei", ["单雄飞"]),  # another reading of 单
        ("sxf", ["单雄飞"]),
        ("SXF", ["单雄飞"]),
        ("欧阳", ["欧阳春梅"]),
        ("春梅", ["欧阳春梅"]),
        ("欧阳春美", ["欧阳春梅"]),
        ("章桂兰", ["张桂兰", "张贵兰"]),  # homophones of both
        ("zgl", ["张桂兰", "张贵兰"]),
        ("王婶", ["王秀珍", "王秀珍"]),  # of the women of that name; 王建国 is a man
        ("王大爷", ["王建国"]),
        ("王大富", ["王秀珍"]),  # the household
        ("王大富家", ["王秀珍"]),
        ("王秀珍", ["王秀珍", "王秀珍"]),
        ("没有这个人", []),
    ],
)
def test_found_as_people_say_it(village: Session, words: str, found: list[str]) -> None:
    turn = turn_of(village, "V001")
    assert sorted(named(turn, residents.search(turn, words))) == sorted(found)


def test_found_by_the_last_four_of_the_number(village: Session) -> None:
    turn = turn_of(village, "V001")
    four = last_four(village, "罗丽")
    found = named(turn, residents.search(turn, four))  # the numbers of the synthetic county end alike
    assert "罗丽" in found and all(last_four(village, name) == four for name in found)
    (draft,) = Reader(village).hear(f"{four} 血压126/78").conversation.drafts
    assert draft.resident_id or "罗丽" in named(turn, draft.candidates)
    assert (draft.answers["systolic"], draft.answers["diastolic"]) == (126, 78)


def test_found_by_village_group(village: Session) -> None:
    turn = turn_of(village, "V001")
    assert "黄阿贵" in named(turn, residents.search(turn, "白龙村2组"))
    everybody = named(turn, residents.search(turn, "石桥村2组"))
    assert {"张桂兰", "陈玉珍"} <= set(everybody) and "王建国" not in everybody
    assert named(turn, residents.search(turn, "王秀珍 石桥村12组")) == ["王秀珍"]


@pytest.mark.parametrize(
    ("line", "age"),
    [
        ("王秀珍 1组 130/80", 76),
        ("王秀珍 12组 130/80", 54),
        ("石桥村十二组王秀珍 130/80", 54),
        ("王秀珍 76岁 130/80", 76),
    ],
)
def test_two_of_one_name_are_told_apart(reader: Reader, line: str, age: int) -> None:
    turn = reader.hear(line)
    (draft,) = turn.conversation.drafts
    resident = turn.resident(draft.resident_id)
    assert resident is not None and resident.age_on(TODAY) == age


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("王秀珍 130/80", {"王秀珍"}),
        ("王秀珍 3组 130/80", {"王秀珍"}),  # neither lives there
        ("三里坪村张桂兰 150/90", {"张桂兰", "张贵兰"}),  # 张贵兰 lives there: a slip of the keyboard?
        ("张桂兰 5组 150/90", {"张桂兰", "张贵兰"}),
        ("王秀 130/80", {"王秀珍"}),
    ],
)
def test_whoever_may_be_somebody_else_is_asked(reader: Reader, line: str, offered: set[str]) -> None:
    turn = reader.hear(line)
    (draft,) = turn.conversation.drafts
    assert draft.resident_id is None
    assert set(named(turn, draft.candidates)) == offered
    assert draft.answers["systolic"] in (130, 150)


def test_nobody_outside_the_scope_is_found(village: Session) -> None:
    """Another doctor's residents do not exist for this one, in whatever way they are said."""
    turn = turn_of(village, "V002")
    assert turn.scope.villages and not set(turn.scope.villages) & set(turn_of(village, "V001").scope.villages or ())
    four = last_four(village, "龙老四")
    for words in ("龙老四", "龙老师", "longlaosi", "lls", "老四", "老龙", four, "王大富", "石桥村2组"):
        found = [r for r in map(turn.resident, residents.search(turn, words)) if r]
        assert not found or {r.village_id for r in found} <= set(turn.scope.villages), words
    assert not Reader(village, "V002").hear("龙老四 160/94").conversation.drafts[0].resident_id


def test_a_supervisor_finds_whoever_lives_in_the_township(village: Session) -> None:
    turn = turn_of(village, "S001")
    assert named(turn, residents.search(turn, "龙老四")) == ["龙老四"]
    assert set(named(turn, residents.search(turn, "zgl"))) == {"张桂兰", "张贵兰"}
