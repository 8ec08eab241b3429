"""What a transcript cannot press: several ticks at once, old buttons, photos, two campaigns for one person; and what is never said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.channels import fit
from bot.channels.simulator_looks import LOOKS
from bot.channels.wecom_cards import to_payload
from bot.chat import ChatSession
from bot.config import Settings
from models.base import Store
from models.campaign import Campaign, CampaignResident, ScreeningResult
from models.message import File, OutgoingMessage
from models.outbox import OutboxMessage
from models.people import Resident
from models.record import Record
from tests.conftest import CHINA, WORKERS

LINE = "活动 两癌筛查 12月8日 托口镇卫生院 石桥村、三里坪村"


def at(when: str) -> datetime:
    return datetime.fromisoformat(when).replace(tzinfo=CHINA)


class Person:
    """Somebody who chats, at an hour of their own."""

    def __init__(self, session: ChatSession) -> None:
        self.session = session

    async def say(self, text: str) -> list[OutgoingMessage]:
        return await self.session.say(text)

    async def press(self, *chosen: str, context: str = "") -> list[OutgoingMessage]:
        return await self.session._turn(chosen=chosen, context=context)

    async def send(self, kind: str, text: str | None = None) -> list[OutgoingMessage]:
        return await self.session._turn(file=File("a.jpg", "AgACphoto1", kind), text=text)  # type: ignore[arg-type]

    def to(self, when: str) -> None:
        self.session.clock.set(at(when))


Play = Callable[[dict[str, Person]], Coroutine[Any, Any, None]]


def play(store: Store, settings: Settings, script: Play, when: str = "2026-11-24T09:00") -> None:
    async def run() -> None:
        sessions = {name: ChatSession(settings, store, code, at(when)) for name, code in WORKERS.items()}
        for session in sessions.values():
            await session.__aenter__()
        try:
            await script({name: Person(session) for name, session in sessions.items()})
        finally:
            for session in sessions.values():
                await session.__aexit__()

    asyncio.run(run())


def text_of(messages: list[OutgoingMessage]) -> str:
    return "\n".join(message.text for message in messages)


async def launched(people: dict[str, Person], line: str = LINE) -> None:
    await people["王主任"].say(line)
    said = await people["王主任"].press("submit")
    assert "已启动" in text_of(said)


def ticks(store: Store) -> dict[str, int]:
    with store.read() as session:
        columns = (CampaignResident.told_on, CampaignResident.came_on, CampaignResident.declined_on)
        found = session.execute(select(*(func.count(column) for column in columns))).one()
    return dict(zip(("told", "came", "declined"), found, strict=True))


def test_several_ticks_arrive_together_or_one_by_one(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        li = people["李梅"]
        await launched(people)
        (page,) = [m for m in await li.say("活动名单") if m.many]
        names = [c.id for c in page.choices if c.id.startswith("told") and not c.id.endswith("done")]
        done = next(c.id for c in page.choices if c.id.endswith("done"))
        assert len(names) == 8
        # a vote card brings the whole answer
        said = await li.press(*names[:3], done)
        assert "3人通知了" in text_of(said) and ticks(county)["told"] == 3
        # elsewhere one tap after the other, untick included
        page = said[0]
        names = [c.id for c in page.choices if c.id.startswith("told") and not c.id.endswith("done")]
        for pressed in (names[0], names[1], names[1], names[2]):
            page = (await li.press(pressed))[0]
        assert set(page.ticked) == {names[0], names[2]}
        said = await li.press(done)
        assert "2人通知了" in text_of(said) and ticks(county)["told"] == 5
        # nothing ticked, the same card again, a page of another campaign
        assert "先勾选" in text_of(await li.press(done))
        assert "先勾选" in text_of(await li.press("told99.done")) or "停止或结束" in text_of(
            await li.press("told99.done")
        )
        assert ticks(county)["told"] == 5

    play(county, settings, script)


def test_only_ones_own_residents_can_be_ticked(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        await people["李梅"].say("活动名单")
        said = await people["李梅"].press("told1.999999", "told1.done")
        assert "先勾选" in text_of(said) and ticks(county)["told"] == 0

    play(county, settings, script)


def test_a_stopped_campaign_takes_no_ticks_and_its_buttons_say_so(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        li, wang = people["李梅"], people["王主任"]
        await launched(people)
        page = next(m for m in await li.say("活动名单") if m.many)
        await wang.press("camp.1.stop")
        assert "已停止" in text_of(await wang.press("camp.1.stopped"))
        assert "已经停止或结束" in text_of(await wang.press("camp.1.stopped"))
        assert "停止或结束" in text_of(await li.press(page.choices[0].id, "told1.done"))
        assert ticks(county)["told"] == 0

    play(county, settings, script)


def test_the_county_and_another_township_cannot_change_what_is_not_theirs(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        assert "不是您单位安排的" in text_of(await people["李梅"].press("camp.1.stop"))
        assert "确定停止" in text_of(await people["陈科长"].press("camp.1.stop"))  # the county is above the township

    play(county, settings, script)
    with county.write() as session:
        campaign = session.scalars(select(Campaign)).one()
        campaign.organisation_id = 1
        session.commit()

    async def of_the_county(people: dict[str, Person]) -> None:
        assert "不是您单位安排的" in text_of(await people["王主任"].press("camp.1.stop"))

    play(county, settings, of_the_county)


def test_submitting_twice_launches_once(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        wang = people["王主任"]
        recap = await wang.say(LINE)
        context = recap[-1].context
        await wang.press("submit", context=context)
        assert "不会重复记录" in text_of(await wang.press("submit", context=context))

    play(county, settings, script)
    with county.read() as session:
        assert session.scalar(select(func.count()).select_from(Campaign)) == 1
        kinds = session.scalars(select(OutboxMessage.kind)).all()
        assert kinds.count("campaign_notice") == 1


def test_withdrawing_the_record_stops_the_campaign(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        wang = people["王主任"]
        await launched(people)
        offered = await wang.say("撤销")
        await wang.press(offered[-1].choices[0].id)

    play(county, settings, script)
    with county.read() as session:
        campaign = session.scalars(select(Campaign)).one()
        assert (campaign.status, campaign.end_reason) == ("stopped", "撤销")


def test_launched_at_night_the_doctors_hear_of_it_in_the_morning(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)

    play(county, settings, script, "2026-11-24T22:15")
    with county.read() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "campaign_notice")).one()
        assert row.not_before == at("2026-11-25T06:30")


def test_somebody_invited_to_two_campaigns_is_asked_about(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        await launched(people, "活动 困难妇女妇科检查 12月9日 托口镇卫生院 全镇 35-64岁 不限人群")
        said = await people["李梅"].say("罗丽 通知了")
        assert "是哪个活动" in text_of(said) and ticks(county)["told"] == 0
        asked = next(m for m in said if "是哪个活动" in m.text)
        said = await people["李梅"].press(asked.choices[1].id)
        assert "罗丽" in text_of(said) and ticks(county)["told"] == 1
        assert "请再发一次" in text_of(await people["李梅"].press("tickin.1"))  # the same question twice

    play(county, settings, script)


@pytest.mark.parametrize(
    "line",
    [
        "罗丽 血压138/84 来了",  # a visit
        "罗丽来了血压138/84",
        "今天通知了很多人",
        "谁来了",
        "通知了",
        "王二麻子 通知了",
        "罗丽说她不来往了",
    ],
)
def test_what_is_no_tick(county: Store, settings: Settings, line: str) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        people["李梅"].to("2026-12-08T09:00")
        await people["李梅"].say(line)
        assert ticks(county) == {"told": 0, "came": 0, "declined": 0}

    play(county, settings, script)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("罗丽 通知到了", {"told": 1}),
        ("罗丽已通知", {"told": 1}),
        ("罗丽  不去 ，腿疼", {"told": 1, "declined": 1}),
        ("罗丽不愿意来 在外打工", {"told": 1, "declined": 1}),
        ("罗丽 来了", {"told": 1, "came": 1}),
        ("罗丽、张贵兰 都来了", {"told": 2, "came": 2}),
    ],
)
def test_lines_that_tick(county: Store, settings: Settings, line: str, expected: dict[str, int]) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        people["李梅"].to("2026-12-08T09:00")
        await people["李梅"].say(line)
        assert ticks(county) == {"told": 0, "came": 0, "declined": 0, **expected}

    play(county, settings, script)


def test_everything_said_fits_both_platforms(county: Store, settings: Settings) -> None:
    """A card has at most six buttons and a message 2048 bytes; a list is one card, names and all."""

    async def script(people: dict[str, Person]) -> None:
        li, wang = people["李梅"], people["王主任"]
        said = [
            *await wang.say(LINE),
            *await wang.press("submit"),
            *await wang.say("活动"),
            *await wang.say("活动 进度"),
        ]
        said += [*await li.say("活动"), *await li.say("活动名单"), *await li.press("camp.1.all")]
        people["李梅"].to("2026-12-08T09:00")
        said += [*await li.press("camp.1.come"), *await li.say("罗丽 不来")]
        wang.to("2026-12-09T09:00")
        said += [*await wang.say("活动 结束"), *await wang.say("计划")]
        for message in said:
            for part in fit(message, LOOKS["wecom"].limits):
                assert len(part.text.encode()) <= 2048
                for payload in to_payload("li", part, key="k"):
                    card = payload.get("template_card", {})
                    assert len(card.get("button_list", ())) <= 6
                    assert len(card.get("checkbox", {}).get("option_list", ())) <= 20
            assert all(len(part.text) <= 4096 for part in fit(message, LOOKS["telegram"].limits))
        page = next(m for m in said if m.many)
        (card,) = to_payload("li", page.for_reader(abroad=False), key="k")
        assert card["template_card"]["card_type"] == "vote_interaction"
        assert len(card["template_card"]["checkbox"]["option_list"]) == 8  # and 下一页 is said, not ticked
        assert "下一页" in card["template_card"]["main_title"]["desc"]

    play(county, settings, script)


def test_lists_show_no_result_and_names_are_masked_abroad(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        await launched(people)
        with county.write() as session:
            guest = session.scalars(select(CampaignResident.resident_id).limit(1)).one()
            record = Record(
                draft_key="r", service="screening_result", resident_id=guest, worker_id=1, village_id=5, on=at("2026-11-24T09:00").date(),
                channel="console", answers={"kind": "cervical", "result": 3}, recorded_at=at("2026-11-24T09:00"),
            )  # fmt: skip
            session.add(record)
            session.flush()
            session.add(
                ScreeningResult(
                    record_id=record.id, campaign_id=1, resident_id=guest, village_id=5, worker_id=1, test="cervical", result=3,
                    on=record.on,
                )
            )  # fmt: skip
            session.commit()
        for said in (await people["李梅"].say("活动名单"), await people["李梅"].press("camp.1.all")):
            assert "阳性" not in text_of(said)

    play(county, settings, script)
    with county.read() as session:
        guests = session.scalars(select(Resident.name).join(CampaignResident)).all()
        replies = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "reply")).all()
        shown = [OutgoingMessage.from_json(reply.message or {}) for reply in replies]
    for message in (m.for_reader(abroad=True) for m in shown):  # as a channel abroad would carry it
        told = message.text + "".join(choice.label for choice in message.choices)
        assert not [name for name in guests if name in told]


def test_a_report_takes_a_photo(county: Store, settings: Settings) -> None:
    async def script(people: dict[str, Person]) -> None:
        wang = people["王主任"]
        await wang.say("计划 托口镇一院一品 启动1-3月,实施4-12月 从2027年1月起 责任 托口镇 总目标 建成康复科")
        await wang.press("submit")
        await wang.say("汇报 启动 场地已定")
        await wang.press("state.1")
        await wang.press("skip")  # no figure
        assert "这里要的是照片" in text_of(await wang.send("voice"))
        assert "照片:1张" in text_of(await wang.send("photo"))
        await wang.press("submit")
        await wang.send("photo", "汇报 实施 设备进场")  # with a caption
        await wang.press("state.1")
        await wang.press("skip")
        await wang.press("submit")

    play(county, settings, script)
    with county.read() as session:
        records = session.scalars(select(Record).where(Record.service == "progress_report").order_by(Record.id)).all()
        assert [r.answers["photo"] for r in records] == ["console:AgACphoto1"] * 2
        assert [r.answers["summary"] for r in records] == ["场地已定", "设备进场"]
