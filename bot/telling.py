"""What happens on the simulated phones, told in the terminal as a chat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import TextIO
from unicodedata import east_asian_width

from bot.channels.simulator_chats import Entry
from bot.phones import Phones

WEEKDAYS = "一二三四五六日"
SPEAKERS = {"doctor": "  村医", "supervisor": "公卫科"}
BOT = "机器人"
INDENT = " " * 9
NO_TITLE = "请选择"  # of a card whose words went ahead as a text
BUTTONS_SHOWN = 8
LINES_SHOWN = 14
WIDTH = 72
MOST_QUESTIONS = 20


class Telling:
    """Says lines and presses buttons on the phones, and prints what both show."""

    def __init__(self, phones: Phones, out: TextIO) -> None:
        self.phones, self.out = phones, out
        self._printed = max((e.id for chat in phones.chats.of.values() for e in chat.entries), default=0)
        self._colour = out.isatty()

    async def at(self, clock: str, headline: str = "") -> None:
        """Move to an hour of the simulated day."""
        day = self.phones.local_now().date()
        to = datetime.combine(day, time.fromisoformat(clock), self.phones.app.settings.tz)
        await self.move(to, headline)

    async def move(self, to: datetime, headline: str = "") -> None:
        if to > self.phones.clock():
            await self.phones.move_clock(to)
        now = self.phones.local_now()
        when = f"{now:%m月%d日} 星期{WEEKDAYS[now.weekday()]} {now:%H:%M}"
        rule = f"── {when} {headline} "
        self._print("\n" + rule + "─" * (WIDTH - columns(rule)), "1")
        self._tell_new()

    async def say(self, phone: str, line: str) -> None:
        self._print(f"{SPEAKERS[phone]} > {line}", "36")
        await self.phones.say(phone, line)
        await self._answered()

    async def press(self, phone: str, label: str) -> None:
        """Press the newest button whose label contains these words; tick it first where it is on a vote card."""
        for entry in reversed(self._entries(phone)):
            ticks = [o for o in entry.drawing.get("options", ()) if label in o["label"]]
            buttons = [b for row in entry.drawing.get("rows", ()) for b in row]
            found = next((b for b in buttons if label in b["label"]), None)
            if ticks and buttons:
                await self._press(
                    phone, entry, f"☑ {ticks[0]['label']} [{buttons[0]['label']}]", [ticks[0], buttons[0]]
                )
                return
            if found:
                await self._press(phone, entry, f"[{found['label']}]", [found])
                return
        raise LookupError(f"no button {label!r} on the phone")

    async def submit(self, phone: str, answers: Mapping[str, str]) -> None:
        """Answer what is still asked, by a word of the question, and submit."""
        for _ in range(MOST_QUESTIONS):
            newest = self._entries(phone)[-1].drawing
            labels = [b["label"] for row in newest.get("rows", ()) for b in row]
            if any("提交" in label and "options" not in newest for label in labels):
                await self.press(phone, "提交")
                return
            question = f"{newest.get('title', '')}{newest.get('text', '')}"
            answer = next((answer for word, answer in answers.items() if word in question), None)
            if answer is None:
                raise LookupError(f"no answer to {question!r}")
            labels += [option["label"] for option in newest.get("options", ())]
            await (self.press if any(answer in label for label in labels) else self.say)(phone, answer)
        raise LookupError("the questions do not end")

    async def _press(self, phone: str, entry: Entry, told: str, buttons: list[dict[str, str]]) -> None:
        self._print(f"{SPEAKERS[phone]} > {told}", "36")
        await self.phones.tap(phone, entry.id, [button["id"] for button in buttons])
        await self._answered()

    async def _answered(self) -> None:
        await self.phones.settled()
        while await self.phones.app.sender.send_due():
            pass
        await self.phones.settled()
        self._tell_new()

    def _entries(self, phone: str) -> list[Entry]:
        return self.phones.chats.of[self.phones.on[phone].holder].entries

    def _tell_new(self) -> None:
        """What the bot has said since, on either phone; on the supervisor's it says so."""
        last = self._printed
        for phone in self.phones.on:
            for entry in self._entries(phone):
                if entry.id > self._printed and entry.who == "bot":
                    self._tell(entry, "" if phone == "doctor" else "(发给公卫科)")
                last = max(last, entry.id)
        self._printed = last

    def _tell(self, entry: Entry, to: str) -> None:
        drawing, colour = entry.drawing, "31" if entry.drawing.get("urgent") else ""
        words = [drawing.get("source"), drawing.get("title"), drawing.get("text")]
        if drawing.get("title") == NO_TITLE:
            words = words[2:]
        lines = "\n".join(part for part in words if part).split("\n")
        if len(lines) > LINES_SHOWN:
            lines = [*lines[:LINES_SHOWN], f"……(还有{len(lines) - LINES_SHOWN}行,手机上看全文)"]
        if any(lines):
            self._print(f"{BOT} < {to}{lines[0]}", colour)
        for line in lines[1:]:
            self._print(INDENT + line, colour)
        labels = [f"☐{o['label']}" for o in drawing.get("options", ())]
        labels += [f"[{b['label']}]" for row in drawing.get("rows", ()) for b in row]
        if labels:
            more = "" if len(labels) <= BUTTONS_SHOWN else f" 等{len(labels)}个按钮"
            self._print(INDENT + " ".join(labels[:BUTTONS_SHOWN]) + more, "2")
        if "file" in drawing:
            self._print(f"{INDENT}[文件] {drawing['file']['name']}", "2")

    def _print(self, line: str, colour: str = "") -> None:
        print(f"\x1b[{colour}m{line}\x1b[0m" if colour and self._colour else line, file=self.out)


def columns(text: str) -> int:
    """How wide a terminal shows it: a Chinese character takes two columns."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
