"""The simulator over real HTTP: what a newcomer does in the browser, and what the demo plays in the terminal."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from bot.channels import fit, size
from bot.channels.simulator_looks import LOOKS
from bot.demo import PageServer, run_demo
from bot.demo_county import phones_in
from bot.phones import Phones
from models.message import Choice, OutgoingMessage, mark_name
from models.record import Record

PATIENCE = 60.0  # seconds until a missing answer is a failure


class Browser:
    """A page that is open: it listens to the events and can press what a person presses."""

    def __init__(self, url: str, phones: Phones) -> None:
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        self.phones = phones
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._stream = threading.Thread(target=self._listen, daemon=True)
        self._stream.start()
        self.wait(lambda: self.events)

    def _listen(self) -> None:
        event = ""
        with self.http.stream("GET", "/sim/events", timeout=None) as lines:
            for line in lines.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((event, json.loads(line.removeprefix("data: "))))

    def wait(self, until: Callable[[], Any]) -> Any:
        give_up = time.monotonic() + PATIENCE
        while not (found := until()):
            assert time.monotonic() < give_up, "nothing came"
            time.sleep(0.01)
        return found

    def post(self, path: str, **data: Any) -> httpx.Response:
        return self.http.post(f"/sim/{path}", json=data)

    def entries(self, phone: str) -> list[dict[str, Any]]:
        return self.http.get("/sim/state").json()["phones"][phone]["entries"]

    def said_to(self, phone: str) -> str:
        """Everything the bot has said on a phone, as one text."""
        return page_words(self.entries(phone))

    def say(self, phone: str, text: str) -> dict[str, Any]:
        """Send a line; the newest thing the bot shows after it."""
        assert self.post("say", phone=phone, text=text).is_success
        return self.entries(phone)[-1]

    def tap(self, phone: str, entry: dict[str, Any], *labels: str) -> dict[str, Any]:
        offered = [*entry.get("options", ()), *(button for row in entry["rows"] for button in row)]
        wires = [next(o["id"] for o in offered if label in o["label"]) for label in labels]
        assert self.post("tap", phone=phone, message=entry["id"], choices=wires).is_success
        return self.entries(phone)[-1]

    def records(self) -> int:
        with self.phones.app.store.read() as session:
            return session.scalar(select(func.count(Record.id))) or 0


def words(entry: dict[str, Any]) -> str:
    return "\n".join(part for part in (entry.get("source"), entry.get("title"), entry["text"]) if part)


def page_words(entries: list[dict[str, Any]]) -> str:
    return "\n".join(words(entry) for entry in entries if entry["who"] == "bot")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """李梅 on WeCom, 王主任 on Telegram, at 8 in the morning; nothing has been played."""
    folder = tmp_path_factory.mktemp("demo")
    listening = socket.create_server(("127.0.0.1", 0))
    running: dict[str, Any] = {}

    async def serve() -> None:
        async with phones_in(folder) as (phones, _):
            running["server"] = PageServer(phones)
            running["phones"] = phones
            await running["server"].serve([listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    give_up = time.monotonic() + PATIENCE
    while "phones" not in running:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    browser = Browser(f"http://127.0.0.1:{listening.getsockname()[1]}", running["phones"])
    yield browser
    running["server"].should_exit = True
    thread.join(timeout=PATIENCE)
    assert not thread.is_alive()
    browser._stream.join(timeout=PATIENCE)
    browser.http.close()
    listening.close()


@pytest.fixture(autouse=True)
def nothing_open(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "page" in request.fixturenames:
        browser: Browser = request.getfixturevalue("page")
        browser.post("look", phone="doctor", look="wecom")
        browser.say("doctor", "取消")


LINE = "张桂兰 152/94 心率78 规律服药 无症状 家访"


def test_the_page_and_its_files_come_from_here_alone(page: Browser) -> None:
    shown = page.http.get("/")
    assert "default-src 'self'" in shown.headers["content-security-policy"]
    assert "http" not in shown.text.replace("http-equiv", "")
    for path in ("simulator.js", "phone.js", "draw.js", "simulator.css", "icon.svg"):
        assert page.http.get(f"/static/{path}").is_success


def test_a_line_is_read_back_and_recorded_by_one_tap(page: Browser) -> None:
    recap = page.say("doctor", LINE)
    before = page.records()
    done = page.tap("doctor", recap, "提交")
    assert "已记录" in words(done)
    assert page.records() == before + 1


def test_the_same_button_twice_makes_one_record(page: Browser) -> None:
    recap = page.say("doctor", "王建国 136/82 心率72 规律服药 无症状 门诊")
    before = page.records()
    page.tap("doctor", recap, "提交")
    again = page.tap("doctor", recap, "提交")
    assert "不会重复记录" in words(again)
    assert page.records() == before + 1
    pressed = next(entry for entry in page.entries("doctor") if entry["id"] == recap["id"])
    assert len(pressed["used"]) == 1


def test_events_tell_the_line_first_and_then_the_answer(page: Browser) -> None:
    start = len(page.events)
    page.say("doctor", "帮助")
    told = page.wait(lambda: [e for e in page.events[start:] if e[0] == "entry" and e[1]["entry"]["who"] == "bot"])
    states = [e["entry"]["state"] for _, e in page.events[start:] if e.get("entry", {}).get("who") == "worker"]
    assert states == ["sending", "taken"]
    assert told[0][1]["phone"] == "doctor"


def test_an_emergency_rings_on_the_supervisors_phone(page: Browser) -> None:
    start = len(page.events)
    recap = page.say("doctor", "覃凤英 190/115 心率96 规律服药 无症状 门诊")
    assert recap["urgent"]
    page.tap("doctor", recap, "提交")
    ringing = page.wait(
        lambda: [e["entry"] for _, e in page.events[start:] if e.get("phone") == "supervisor" and "entry" in e]
    )
    assert ringing[0]["urgent"]
    assert "覃**" in words(ringing[0])  # on Telegram no given name leaves the country
    assert "覃凤英" not in page.said_to("supervisor")


def test_tomorrows_list_arrives_when_the_clock_is_moved(page: Browser) -> None:
    before = page.said_to("doctor").count("早上好")
    moved = page.post("clock", plus="next_morning").json()["now"]
    assert "T07:30:0" in moved
    assert page.said_to("doctor").count("早上好") == before + 1
    latest = [entry for entry in page.entries("doctor") if "早上好" in words(entry)][-1]
    assert latest["at"][:16] == moved[:16]


def test_every_morning_on_the_way_says_its_own_list(page: Browser) -> None:
    before = [entry["at"][:10] for entry in page.entries("doctor") if "早上好" in words(entry)]
    page.post("clock", plus="3d")
    after = [entry["at"][:10] for entry in page.entries("doctor") if "早上好" in words(entry)]
    assert len(after) == len(before) + 3
    assert after == sorted(set(after))


def test_time_only_goes_forward(page: Browser) -> None:
    refused = page.post("clock", to="2026-11-01T08:00:00+08:00")
    assert refused.status_code == 400
    assert "往后" in refused.json()["error"]
    assert page.post("clock", plus="400d").status_code == 400


def test_a_photo_where_a_number_was_asked_loses_nothing(page: Browser) -> None:
    page.say("doctor", "高血压随访")
    page.say("doctor", "陈玉珍")
    page.post("photo", phone="doctor")
    answer = page.entries("doctor")[-1]
    assert "照片" in words(answer)
    assert "陈玉珍" in words(answer)


def test_the_same_conversation_looks_as_each_platform_would_show_it(page: Browser) -> None:
    page.say("doctor", LINE)
    on_wecom = page.entries("doctor")
    page.post("look", phone="doctor", look="telegram")
    on_telegram = page.entries("doctor")
    assert "【高血压随访】张桂兰" in page_words(on_wecom)
    assert "【高血压随访】张**" in page_words(on_telegram)  # abroad: no given name
    assert "【高血压随访】张桂兰" not in page_words(on_telegram)
    buttons = [sum(len(row) for row in entry["rows"]) for entry in on_wecom]
    assert max(buttons) <= LOOKS["wecom"].limits.buttons
    assert sum(len(row) for row in on_telegram[-1]["rows"]) > LOOKS["wecom"].limits.buttons
    page.post("look", phone="doctor", look="wecom")
    assert [words(e) for e in page.entries("doctor")] == [words(e) for e in on_wecom]


def test_several_answers_are_a_vote_card_here_and_toggles_there(page: Browser) -> None:
    vote = symptoms_asked(page)
    assert vote["kind"] == "vote"
    page.tap("doctor", vote, "头痛头晕", "选好了")
    answered = next(entry for entry in page.entries("doctor") if entry["id"] == vote["id"])
    assert [option["label"] for option in answered["options"] if option["ticked"]] == ["头痛头晕"]
    page.say("doctor", "取消")
    page.post("look", phone="doctor", look="telegram")
    asked = symptoms_asked(page)
    ticked = page.tap("doctor", asked, "四肢发麻")
    assert ticked["id"] == asked["id"] and ticked["edited"]
    assert "✅ 四肢发麻" in [button["label"] for row in ticked["rows"] for button in row]


def symptoms_asked(page: Browser) -> dict[str, Any]:
    page.say("doctor", "单雄飞 142/88")
    for _ in range(6):
        entry = page.entries("doctor")[-1]
        if "症状" in words(entry):
            return entry
        page.tap("doctor", entry, next(iter(entry["rows"][0]))["label"])
    raise AssertionError("symptoms are never asked")


def test_another_person_takes_the_phone_and_finds_their_own_chat(page: Browser) -> None:
    page.post("hold", phone="supervisor", worker="C001")
    shown = page.http.get("/sim/state").json()["phones"]["supervisor"]
    assert shown["holder"]["name"] == "陈科长"
    page.say("supervisor", "帮助")
    page.post("hold", phone="supervisor", worker="S001")
    assert "陈科长" not in page.said_to("supervisor")
    assert page.post("hold", phone="supervisor", worker="V001").status_code == 400


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("say", {"phone": "nobody", "text": "今日"}),
        ("say", {"phone": "doctor"}),
        ("tap", {"phone": "doctor", "message": 99999, "choices": ["x:submit"]}),
        ("tap", {"phone": "doctor", "message": "1", "choices": []}),
        ("look", {"phone": "doctor", "look": "fax"}),
        ("clock", {"plus": "soon"}),
    ],
)
def test_what_makes_no_sense_is_one_sentence(page: Browser, path: str, data: dict[str, Any]) -> None:
    refused = page.post(path, **data)
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_only_json_is_taken(page: Browser) -> None:
    assert page.http.post("/sim/say", data={"phone": "doctor", "text": "今日"}).status_code == 415


@pytest.mark.parametrize("look", LOOKS)
def test_no_drawing_shows_a_marked_name_or_too_much(look: str) -> None:
    choices = tuple(Choice(f"visit.{n}", f"{n} {mark_name('张桂兰')}", str(n)) for n in range(1, 41))
    message = OutgoingMessage(f"{mark_name('张桂兰')} " + "字" * 3000, choices)
    limits = LOOKS[look].limits
    for part in fit(message, limits):
        for drawing in LOOKS[look].draw("V001", part, "key"):
            assert size(drawing["text"], limits) <= limits.text
            assert sum(len(row) for row in drawing["rows"]) <= limits.buttons
            assert "\ue000" not in json.dumps(drawing, ensure_ascii=False)


def test_the_first_day_is_told_in_the_terminal_and_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo(port=0, data=tmp_path, browser=False, serve=False) == 0
    told = capsys.readouterr().out
    for words_told in (
        "村医 > 张桂兰 152/94",
        "机器人 < ",
        "已记录",
        "(发给公卫科)🔴",
        "签约",
        "义诊",
        "公卫科 > 汇总",
        "早上好",
    ):
        assert words_told in told, words_told
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert run_demo(port=0, data=tmp_path, browser=False, serve=False) == 0
    again = capsys.readouterr().out
    assert "接着用" in again
    assert "村医 >" not in again


def test_a_busy_port_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run_demo(port=taken.getsockname()[1], data=tmp_path, browser=False) == 1
    assert "用不了" in capsys.readouterr().err
    assert not (tmp_path / "demo.db").exists()
