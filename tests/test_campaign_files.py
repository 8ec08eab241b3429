"""Campaigns and plans by file: what is refused and why, twice changes nothing, who is told; terms of doctors' agreements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.files import import_file, read_sheet, rejected_file
from models.base import Store
from models.campaign import LAUNCHED, PLANNED, STOPPED, Campaign, CampaignResident, Milestone
from models.outbox import OutboxMessage
from models.people import HealthWorker
from models.record import AuditEntry
from models.roster import Imported
from models.seed import seed
from models.terms import terms_of
from reminders.reminder import Context, Gone
from reminders.rules import campaign_imported, plan_terms
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")
CAMPAIGNS = """活动编码,类别,日期,举办机构编码,地点,范围,性别,年龄,人群,状态
H1,两癌筛查,2026-12-08,431281100,托口镇卫生院,石桥村、三里坪村,,,,
H2,肺癌,2026-12-09,431281100,,,,,,
H3,肺癌筛查,2026-12-09至2026-12-10,431281100,,,,50-74,,启动
H4,看牙,2026-12-09,431281100,,,,,,
H5,义诊活动日,2026-11-01,431281100,,,,,,
H6,赶集日支援,2026-12-03、2026-12-08、2026-12-13,431281100,托口集市,,,,,启动
H7,老年人体检,2026-12-08,431281,,石桥村、没有村,,,,
H1,两癌筛查,2026-12-20,431281100,,,,,,
H8,困难妇女妇科检查,2026-12-08,999,,,,,,
H9,两癌筛查,12月8日,431281100,,,,64-35,,
"""
PLANS = """计划编码,计划名称,类别,牵头机构编码,阶段,开始日期,完成期限,责任机构,目标
P1,百县工程,百县工程,431281,启动,2027-01-01,2027-03-31,托口镇、安江镇,
P1,百县工程,百县工程,431281,实施,2027-04-01,2028-12-31,托口镇,建成20家
P2,某某计划,不知道,431281,启动,,2027-03-31,,
P3,带教三年,带教,431281,第一期,,2027-03-31,托口镇,3场
P3,带教三年,带教,431281,第二期,,没定,托口镇,
P3,带教三年,带教,431281,第一期,,2029-03-31,托口镇,
"""


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        with store.write() as session:
            seed(session, TODAY, NOW, residents=300, doctors=3, history=False)
            session.commit()
        yield store


def taken(store: Store, kind: str, folder: Path, text: str, *, dry_run: bool = False) -> Imported:
    file = folder / f"{kind}.csv"
    file.write_text(text, encoding="utf-8")
    return import_file(store, kind, file, now=NOW, today=TODAY, dry_run=dry_run)  # type: ignore[arg-type]


def by_code(session: Session) -> dict[str, Campaign]:
    return {campaign.code: campaign for campaign in session.scalars(select(Campaign))}


def test_good_rows_go_in_and_refused_ones_come_back_with_the_reason(store: Store, tmp_path: Path) -> None:
    done = taken(store, "campaigns", tmp_path, CAMPAIGNS)
    assert (done.added, done.changed, done.unchanged) == (3, 0, 0)
    why = {
        row["活动编码"] + row["行号"]: row["原因"] for row in read_sheet(rejected_file(tmp_path / "campaigns.csv")).rows
    }
    assert "年龄各地不同" in why["H23"] and "不认识" in why["H45"] and "已经过了" in why["H56"]
    assert "没有村" in why["H78"] and "第 2 行已经有了" in why["H19"] and "不是一个县或乡镇" in why["H810"]
    assert "日期“12月8日”看不懂" in why["H911"]
    with store.read() as session:
        found = by_code(session)
        assert {code: c.status for code, c in found.items()} == {"H1": PLANNED, "H3": LAUNCHED, "H6": LAUNCHED}
        assert found["H3"].days == ["2026-12-09", "2026-12-10"] and found["H3"].whom.words() == "50-74岁"  # type: ignore[union-attr]
        assert found["H6"].rule is None and len(found["H6"].days) == 3
        listed = session.scalars(select(CampaignResident.campaign_id).distinct()).all()
        assert listed == [found["H3"].id]  # H1 waits to be launched
    assert any("H1 两癌筛查 2026-12-08:应邀" in remark for remark in done.remarks)


@pytest.mark.parametrize("group", ["肺结核", "严重精神障碍", "低宝"])
def test_a_list_is_never_made_by_what_it_would_tell(store: Store, tmp_path: Path, group: str) -> None:
    row = f"H1,老年人体检,2026-12-08,431281100,,,,,{group},启动"
    done = taken(store, "campaigns", tmp_path, f"{CAMPAIGNS.splitlines()[0]}\n{row}\n")
    assert done.added == 0 and f"人群“{group}”不能用来列名单" in done.refused[0].reason


def test_a_dry_run_counts_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    done = taken(store, "campaigns", tmp_path, CAMPAIGNS, dry_run=True)
    assert done.added == 3 and done.remarks
    with store.read() as session:
        assert by_code(session) == {} and session.scalars(select(OutboxMessage)).all() == []


def test_importing_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    taken(store, "campaigns", tmp_path, CAMPAIGNS)
    with store.read() as session:
        before = [(m.dedup_key, m.status) for m in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]
        audits = len(session.scalars(select(AuditEntry)).all())
    again = taken(store, "campaigns", tmp_path, CAMPAIGNS)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    with store.read() as session:
        after = [(m.dedup_key, m.status) for m in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]
        assert after == before and len(session.scalars(select(AuditEntry)).all()) == audits


def test_the_supervisor_is_asked_once_to_launch_what_waits(store: Store, tmp_path: Path) -> None:
    taken(store, "campaigns", tmp_path, CAMPAIGNS)
    with store.write() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "campaign_imported")).all()
        assert [session.get_one(HealthWorker, row.worker_id).name for row in rows] == ["王主任"]
        wang = session.get_one(HealthWorker, rows[0].worker_id)
        context = Context(session, wang, rows[0].arguments or {}, NOW, CHINA, {})
        message = campaign_imported.words(context)
        assert "从表格导入了1个免费活动" in message.text and "应邀" in message.text
        assert message.choices[0].id == f"camp.{by_code(session)['H1'].id}.launch"
        by_code(session)["H1"].status = STOPPED
        with pytest.raises(Gone):
            campaign_imported.words(context)


def test_a_changed_row_moves_a_running_campaign_and_another_word_stops_it(store: Store, tmp_path: Path) -> None:
    taken(store, "campaigns", tmp_path, CAMPAIGNS)
    moved = CAMPAIGNS.replace("2026-12-09至2026-12-10", "2026-12-16")
    assert taken(store, "campaigns", tmp_path, moved).changed == 1
    with store.read() as session:
        campaign = by_code(session)["H3"]
        assert (campaign.days, campaign.edition) == (["2026-12-16"], 2)
    past = moved.replace("2026-12-16", "2025-12-16")
    assert "改到了过去" in taken(store, "campaigns", tmp_path, past).refused[1].reason
    stopped = moved.replace("50-74,,启动", "50-74,,停止")
    assert taken(store, "campaigns", tmp_path, stopped).changed == 1
    assert taken(store, "campaigns", tmp_path, stopped).changed == 0
    with store.read() as session:
        assert by_code(session)["H3"].status == STOPPED
        notices = [m for m in session.scalars(select(OutboxMessage)) if m.kind == "campaign_notice"]
        of = [m for m in notices if (m.arguments or {})["campaign_id"] == by_code(session)["H3"].id]
        assert {m.status for m in of if (m.arguments or {})["edition"] < 3} == {"cancelled"}
        assert {m.status for m in of if (m.arguments or {})["edition"] == 3} == {"queued"}
    late = stopped.replace("2026-12-16", "2026-12-17")
    assert "已经停止或结束" in taken(store, "campaigns", tmp_path, late).refused[1].reason


def test_plans_come_in_by_milestone(store: Store, tmp_path: Path) -> None:
    done = taken(store, "plans", tmp_path, PLANS)
    assert done.added == 1
    reasons = {refused.line: refused.reason for refused in done.refused}
    assert set(reasons) == {4, 5, 6, 7}, "a plan comes in whole or not at all"
    assert "不认识" in reasons[4] and "第6、7行有问题" in reasons[5]
    assert "看不懂" in reasons[6] and "已经有了" in reasons[7]
    again = taken(store, "plans", tmp_path, PLANS)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    with store.read() as session:
        plan = by_code(session)["P1"]
        milestones = session.scalars(select(Milestone).order_by(Milestone.position)).all()
        assert (plan.status, plan.days) == (LAUNCHED, ["2027-01-01", "2028-12-31"])
        assert [(m.title, m.figure, m.unit, len(m.organisations)) for m in milestones] == [
            ("启动", None, None, 2), ("实施", 20.0, "家", 1),
        ]  # fmt: skip
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "plan_notice")).all()
        assert len(told) == 3, "those who answer for it, and whoever leads it: an operator did it for them"
    kept = milestones[1].id
    moved = PLANS.replace("2028-12-31", "2028-06-30")
    assert taken(store, "plans", tmp_path, moved).changed == 1
    with store.read() as session:
        assert session.get_one(Milestone, kept).due_on == date(2028, 6, 30)
        assert by_code(session)["P1"].edition == 2
    slip = moved.replace("2027-03-31,托口镇、安江镇", "三月底,托口镇、安江镇")
    assert taken(store, "plans", tmp_path, slip).changed == 0
    with store.read() as session:
        titles = session.scalars(select(Milestone.title).where(Milestone.campaign_id == by_code(session)["P1"].id))
        assert set(titles) == {"启动", "实施"}, "a slip takes no milestone away, nor its reports"


WORKERS = """工号,姓名,角色,机构编码,负责村,协议到期,培训截止
V001,李梅,村医,431281100200,431281100200、431281100201、431281100202,{agreement},{training}
"""


def test_terms_come_with_the_roster_and_are_reminded(store: Store, tmp_path: Path) -> None:
    with store.read() as session:
        codes = session.scalars(select(HealthWorker.villages).where(HealthWorker.code == "V001")).one()
        assert len(codes) == 3
    first = WORKERS.format(agreement="2026-12-31", training="2026年12月1日")
    assert taken(store, "workers", tmp_path, first).changed == 1
    assert taken(store, "workers", tmp_path, first).unchanged == 1
    assert taken(store, "workers", tmp_path, WORKERS.format(agreement="", training="")).unchanged == 1  # never erased
    assert taken(store, "workers", tmp_path, WORKERS.format(agreement="31.12.26", training="")).refused
    with store.write() as session:
        li = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        assert [(t.code, t.ends_on) for t in terms_of(li)] == [
            ("agreement_ends_on", date(2026, 12, 31)), ("training_due_on", date(2026, 12, 1)),
        ]  # fmt: skip
        wang = session.scalars(select(HealthWorker).where(HealthWorker.name == "王主任")).one()
        assert set(plan_terms.audience(session, TODAY)) == {li.id, wang.id}
        said = plan_terms.words(Context(session, li, {}, NOW, CHINA, {}, message_key="a")).text
        assert said == (
            "您的购买服务协议2026-12-31到期(还有37天)。要续签请联系公卫科。\n"
            "您的培训任务2026-12-01到期(还有7天)。请按时完成,并告诉公卫科。"
        )
        assert set(plan_terms.audience(session, TODAY)) == {wang.id}, "she was told"
        heard = plan_terms.words(Context(session, wang, {}, NOW, CHINA, {}, message_key="b")).text
        assert "· 李梅 培训任务2026-12-01到期(还有7天)。" in heard and "到期提醒(2项):" in heard
        days = []
        for n in range(120):
            day, at = TODAY + timedelta(days=n), NOW + timedelta(days=n)
            if li.id in set(plan_terms.audience(session, day)):
                days.append(day)
                plan_terms.words(Context(session, li, {}, at, CHINA, {}, message_key=f"{day}"))
        assert days == [
            date(2026, 12, 1), date(2026, 12, 24), date(2026, 12, 31), date(2027, 1, 30), date(2027, 3, 1),
        ]  # fmt: skip
        li.settings = {}
        with pytest.raises(Gone):
            plan_terms.words(Context(session, li, {}, NOW, CHINA, {}))
