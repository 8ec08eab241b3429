"""`cunyi run` as an operator runs it: a process of its own, the platforms at the other end of real sockets."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from models import migrate
from models.base import Store
from models.invitations import invite
from models.outbox import OutboxMessage
from models.people import ChannelAccount, HealthWorker
from models.record import Record
from models.secrets import Keyring
from models.seed import seed
from tests.databases import BACKENDS, SECRET, empty_store
from tests.platforms.telegram_server import TelegramServer
from tests.platforms.wecom_server import WeComServer
from tests.program import Program, environment, run

LI_MEI, WANG = 7, "wang"
LINE = "张桂兰 152/94 心率78 规律服药 无症状 家访"


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A seeded county as the program will find it, with 王主任 on WeCom."""
    with empty_store(request.param) as store:
        yield furnished(store)


def furnished(store: Store) -> Store:
    migrate.upgrade(store)
    now = datetime.now(UTC)
    with store.write() as session:
        seed(session, now.date(), now, residents=30, doctors=3, history=False)
        wang = session.scalars(select(HealthWorker).where(HealthWorker.code == "S001")).one()
        session.add(ChannelAccount(channel="wecom", account=WANG, worker_id=wang.id, bound_at=now))
        session.commit()
    return store


def code_for(store: Store, worker: str) -> str:
    with store.write() as session:
        code = invite(
            session, session.scalars(select(HealthWorker).where(HealthWorker.code == worker)).one(), datetime.now(UTC)
        )
        session.commit()
        return code


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


@contextmanager
def both_platforms() -> Iterator[tuple[TelegramServer, WeComServer, dict[str, str]]]:
    """Telegram and WeCom, and the settings that lead to them."""
    with TelegramServer() as telegram, WeComServer() as wecom:
        yield (
            telegram,
            wecom,
            {
                "CUNYI_TELEGRAM__TOKEN": telegram.token,
                "CUNYI_TELEGRAM__BASE_URL": telegram.url,
                "CUNYI_WECOM__CORP_ID": wecom.corp_id,
                "CUNYI_WECOM__AGENT_ID": str(wecom.agent_id),
                "CUNYI_WECOM__SECRET": wecom.secret,
                "CUNYI_WECOM__TOKEN": wecom.token,
                "CUNYI_WECOM__AES_KEY": wecom.aes_key,
                "CUNYI_WECOM__BASE_URL": wecom.url,
            },
        )


def hear(telegram: TelegramServer, words: str) -> None:
    """Until 李梅 is told so; by the time of day her morning's list may come in between."""
    telegram.wait_until(lambda: any(words in seen.text for seen in telegram.chat(LI_MEI)), timeout=30)


def test_a_doctor_and_her_supervisor_and_the_end(store: Store, tmp_path: Path) -> None:
    """Bound by an invitation, a visit by one line and one tap, an emergency told on the other channel; then SIGTERM."""
    with both_platforms() as (telegram, wecom, settings):
        with Program(environment(url_of(store), **settings), tmp_path) as program:
            port = program.ready()
            wecom.callback_url = f"http://127.0.0.1:{port}/wecom/callback"
            for says, hears in ((f"/start {code_for(store, 'V001')}", "已绑定为村医"), (LINE, "【高血压随访】")):
                telegram.user_sends(LI_MEI, says)
                hear(telegram, hears)
            telegram.user_taps(LI_MEI, "✅ 提交")
            hear(telegram, "✅ 已记录")

            assert wecom.user_sends(WANG, "汇总") == 200
            wecom.wait_until(lambda: wecom.chat(WANG), timeout=30)
            for said in ("覃凤英 192/118 心率90 无症状 规律服药 家访", "提交"):
                telegram.user_sends(LI_MEI, said)
            wecom.wait_until(lambda: any("🔴" in seen.text for seen in wecom.chat(WANG)), timeout=30)

            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                health = client.get("/healthz")
                assert (health.status_code, health.json()["status"]) == (200, "ok")
                assert health.json()["channels"] == ["telegram", "wecom"]
                metrics = client.get("/metrics").text
                assert 'cunyi_records{service="hypertension_follow_up"} 2.0' in metrics
                assert 'cunyi_outbox_messages{status="sent"}' in metrics
                assert "张桂兰" not in client.get("/").text + metrics
                assert client.post("/wecom/callback", content=b"<xml>").status_code == 400

            telegram.fail_next(1, 502)  # an answer that waits for its second try
            telegram.user_sends(LI_MEI, "帮助")
            program.logged("send_failed")
            begun = time.monotonic()
            assert program.stop(signal.SIGTERM) == 0
            assert time.monotonic() - begun < 10
        with store.read() as session:
            replies = OutboxMessage.kind == "reply"  # what the timetable says depends on the time of day
            rows = session.execute(select(OutboxMessage.status, OutboxMessage.leased_until).where(replies)).all()
            assert {status for status, _ in rows} == {"sent", "queued"} and {until for _, until in rows} == {None}
            assert len(session.scalars(select(Record)).all()) == 2
        said = str(program.log)
        assert telegram.token not in said and wecom.secret not in said
        assert not any(word in said for word in ("张桂兰", "覃凤英", "152", "帮助"))

        if not store.is_sqlite:
            return
        with Program(environment(url_of(store), **settings), tmp_path) as program:  # what was left is sent now
            program.ready()
            hear(telegram, "可以这样用")
            assert program.stop(signal.SIGINT) == 0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_by_webhook_on_an_empty_database(tmp_path: Path) -> None:
    """It makes its tables by itself; a webhook without the secret is refused."""
    port, url = free_port(), f"sqlite:///{tmp_path}/cunyi.db"
    with TelegramServer() as telegram:
        settings = {
            "CUNYI_TELEGRAM__TOKEN": telegram.token,
            "CUNYI_TELEGRAM__BASE_URL": telegram.url,
            "CUNYI_TELEGRAM__MODE": "webhook",
            "CUNYI_TELEGRAM__WEBHOOK_SECRET": "only-we-two-know",
            "CUNYI_WEB__PORT": str(port),
            "CUNYI_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with Program(environment(url, **settings), tmp_path) as program:
            assert program.ready() == port
            telegram.wait_until(lambda: telegram.webhook, timeout=30)
            telegram.user_sends(LI_MEI, "今日")
            telegram.wait_until(lambda: telegram.chat(LI_MEI), timeout=30)
            assert "邀请码" in telegram.chat(LI_MEI)[0].text
            forged = httpx.post(f"http://127.0.0.1:{port}/telegram/webhook", json={"update_id": 1}, trust_env=False)
            assert forged.status_code == 403
            second = run("run", environ=environment(url, **settings), folder=tmp_path)
            assert (second.returncode, second.stdout) == (1, "")
            assert second.stderr.splitlines()[-1] == f"端口 {port} 已被占用: 请换一个 CUNYI_WEB__PORT(demo 用 --port)。"
            assert program.stop() == 0
    store = Store(url, Keyring(SECRET))
    assert migrate.current(store) == migrate.head()
    store.close()


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    wrong = {
        "CUNYI_SECRET_KEY": "short",
        "CUNYI_TIMEZONE": "Mars/Olympus",
        "CUNYI_WEB__PORT": "eighty",
        "CUNYI_TELEGRAM__TOKEN": "700:AA",
        "CUNYI_TELEGRAM__MODE": "webhook",
        "CUNYI_WECOM__CORP_ID": "ww1",
    }
    ended = run("run", environ=environment("mysql://x", **wrong), folder=tmp_path)
    assert ended.returncode == 1
    named = {"SECRET_KEY", "TIMEZONE", "WEB__PORT", "DATABASE_URL", "WEB__PUBLIC_URL", "TELEGRAM__WEBHOOK_SECRET"}
    named |= {f"WECOM__{name}" for name in ("AGENT_ID", "SECRET", "TOKEN", "AES_KEY")}
    assert {name for name in named if f"CUNYI_{name}" in ended.stderr} == named
    assert len(ended.stderr.splitlines()) == 7 and "short" not in ended.stderr.replace("shortest", "")
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_what_it_cannot_do_is_one_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cunyi.db"
    nothing = run("run", environ=environment(url), folder=tmp_path)
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (1, 1)
    assert "CUNYI_TELEGRAM__TOKEN" in nothing.stderr
    away = environment("postgresql://nobody@127.0.0.1:1/none", CUNYI_TELEGRAM__TOKEN="700:AAExampleTokenOfTheEmulator")
    gone = run("run", environ=away, folder=tmp_path)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1), gone.stderr
    assert "Traceback" not in gone.stderr
