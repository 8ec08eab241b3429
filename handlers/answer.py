"""One message in, some replies out: the order in which a message's meaning is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handlers import buttons, commands, quick_entry, recap, referrals, slips
from handlers.asking import Question, ask, current_question
from handlers.campaigns import commands as campaigns
from handlers.campaigns import lists
from handlers.courtesies import is_thanks
from handlers.filling import open_drafts, take_choice, take_file, take_text
from handlers.keeping import absorb
from handlers.menu import FORMS
from handlers.replies import match_choice
from handlers.resident_card import find_named
from handlers.residents import is_name
from handlers.steps import Day
from handlers.summary import take_question
from handlers.turn import Turn
from models.conversation import Draft
from models.message import Choice, File, mark_name
from models.record import Record

LONGEST = 3000  # characters; a whole morning of one-line entries is under 2,000
UNREADABLE = {
    "photo": "照片我还看不懂,没有保存。",
    "voice": "语音我还听不懂。可以用手机输入法的“语音转文字”,再发给我。",
    "video": "视频我还看不懂,没有保存。",
    "sticker": "收到表情了。",
    "location": "位置不用发,写村名就行。",
}


def answer(turn: Turn) -> None:
    """Answer one message of a bound worker.

    1. A photo where one is asked for is kept; any other, a sticker or a voice without words: what it cannot be used
       for, and the open question again.
    2. A button: of the open form, of a form already submitted, or one that stands for itself.
    3. A command word, also in the middle of a form.
    4. A line that ticks people off a campaign's list (张桂兰 通知了).
    5. A line about another resident while a form is open: it becomes one more draft.
    6. The reply to the open question; before 5 and 6, what takes back something just said (不对 是148).
    7. The reply to a question outside a form: it is open for this one message.
    8. A question after figures, in words that are no command.
    9. A line that says a record by itself.
    10. A name and nothing else: what is known of them, and a button for their visit.
    11. A supervisor's own words for a new campaign.
    12. Anything else: the nearest commands as buttons.
    """
    message = turn.incoming
    for draft in turn.conversation.drafts:  # begun before somebody registered twice was put together
        if (resident := turn.resident(draft.resident_id)) is not None:
            draft.resident_id = resident.id
    pending, turn.conversation.pending = turn.conversation.pending or {}, None
    if message.file is not None and turn.conversation.is_open and take_file(turn, message.file):
        return
    if message.file is not None and not message.text:
        _unreadable(turn, message.file)
    elif message.chosen:
        _pressed(turn, message.chosen, message.context)
    else:
        _said(turn, (message.text or "").strip(), pending)


def _unreadable(turn: Turn, file: File) -> None:
    sentence = UNREADABLE.get(file.kind, "这种文件我还读不了,没有保存。")
    if turn.conversation.is_open:
        ask(turn, before=f"{sentence}请回答这一项:")
    else:
        turn.say(f"{sentence}请发文字,例如:张桂兰 152/94 心率78 规律服药。发“帮助”看能做什么。")


def _pressed(turn: Turn, chosen: Sequence[str], context: str) -> None:
    conversation = turn.conversation
    if buttons.press(turn, chosen):
        return
    if conversation.is_open and context in ("", conversation.key):
        if not take_choice(turn, chosen):
            ask(turn, before="这个按钮是前面一题的。现在是这一项:")
        return
    if context and context == conversation.last.get("key"):
        _already_done(turn)
    elif conversation.is_open:
        ask(turn, before="这个按钮是以前那张表的,已经不用了。现在是这一项:")
    else:
        turn.say("这个按钮是以前那张表的,已经不用了。发“今日”看待访名单,或直接发一行记录。", commands.HINTS)


def _already_done(turn: Turn) -> None:
    """The same button twice: nothing is recorded again, and the doctor is told so."""
    ids = turn.conversation.last.get("records", [])
    count = turn.session.query(Record).filter(Record.id.in_(ids), Record.status == "current").count() if ids else 0
    text = f"这{count}条已经记下了,不会重复记录。" if count else "这张表已经处理过了。"
    turn.say(text, recap.AFTERWARDS)


def _said(turn: Turn, text: str, pending: Mapping[str, Any]) -> None:
    conversation = turn.conversation
    if not text:
        _nothing_said(turn)
        return
    if len(text) > LONGEST:
        _too_long(turn, text)
        return
    if not _is_the_day_asked_for(turn, text) and (commands.run_text(turn, text) or lists.take_line(turn, text)):
        return
    if conversation.is_open and is_thanks(text):
        ask(turn, before="不客气。")
        return
    told, takes_back = slips.without_slip(text)
    if conversation.is_open:
        question = current_question(turn)
        if takes_back and slips.put_right(turn, told, question):
            return
        text = told if takes_back and slips.names_somebody(turn, told) else text
        if chosen := match_choice(question.choices, text):
            take_choice(turn, (chosen,), question)
            return
        asked = conversation.drafts[question.index].resident_id
        if quick_entry.looks_like_entry(turn, text, asked) and _entered(turn, text):
            return
        if said_of_another := _of_another(turn, text, question):
            ask(turn, before=said_of_another)
            return
        if take_text(turn, text, question) or _entered(turn, text):
            return
        ask(turn, before=f"没看懂“{text[:30]}”。")
        return
    if takes_back and slips.put_right_record(turn, told):
        return
    if offered := match_choice(_offer(turn), text) or _numbered(turn, text):
        _pressed(turn, (offered,), "")
    elif pending and not _is_entry(turn, text) and referrals.take_result(turn, text, pending):
        return
    elif not any(read(turn, text) for read in (take_question, _entered, find_named, campaigns.take_line)):
        commands.suggest(turn, text)


def _of_another(turn: Turn, text: str, question: Question) -> str:
    """What is said of one resident is no answer about another: it goes to their own open form, or nowhere."""
    asked = turn.conversation.drafts[question.index].resident_id
    if asked is None or (question.step is not None and question.step.takes_names):
        return ""
    named = quick_entry.named_instead(turn, text, asked)
    if named is None:
        return ""
    for index, draft in enumerate(turn.conversation.drafts):
        if draft.resident_id in named.ids and (noted := absorb(turn, index, text)):
            return f"{recap.who(turn, draft)} {noted.words}"
    other, this = mark_name(named.said), recap.who(turn, turn.conversation.drafts[question.index])
    return f"这句说的是{other},现在问的是{this},没有记。要记{other},请把项目和数值一起发。"


def _is_entry(turn: Turn, text: str) -> bool:
    """A record or somebody's name, and no words in answer to a question outside a form."""
    return quick_entry.looks_like_entry(turn, text) or quick_entry.is_value(turn, text) or is_name(turn, text)


def _is_the_day_asked_for(turn: Turn, text: str) -> bool:
    """今天 is a command, and the answer to a question after a day."""
    return text == "今天" and turn.conversation.is_open and isinstance(current_question(turn).step, Day)


def _entered(turn: Turn, text: str) -> bool:
    """Read the text as one-line entries; false when there is none in it."""
    entry = quick_entry.read_entry(turn, text)
    if entry is None or not (entry.drafts or entry.remarks):
        return False
    if entry.drafts:
        beside = turn.conversation.is_open
        open_drafts(turn, entry.drafts)
        noted = [_noted(turn, entry.drafts)] if beside and current_question(turn).asks != "confirm" else []
        ask(turn, before="\n".join([*entry.remarks, *noted]))
    else:
        turn.say("\n".join(entry.remarks), commands.HINTS)
    return True


def _noted(turn: Turn, drafts: Sequence[Draft]) -> str:
    """A line in the middle of a form was understood, although the open question is still the same."""
    names = [recap.who(turn, draft) or (mark_name(draft.who) if draft.who else "") for draft in drafts]
    what = [f"{name} {FORMS[d.service].heading}".strip() for name, d in zip(names, drafts, strict=True)]
    return f"已记下:{'、'.join(what)},最后一起核对。"


def _offer(turn: Turn) -> list[Choice]:
    """The choices last offered outside a form, so that their number or label can be typed."""
    return [Choice(*choice) for choice in turn.conversation.last.get("offer", [])]


def _numbered(turn: Turn, text: str) -> str | None:
    offer = _offer(turn)
    return offer[int(text) - 1].id if text.isdigit() and len(text) <= 2 and 1 <= int(text) <= len(offer) else None


def _nothing_said(turn: Turn) -> None:
    if turn.conversation.is_open:
        ask(turn, before="收到一条空消息。")
    else:
        turn.say("收到一条空消息。发“今日”看待访名单,“帮助”看能做什么。", commands.HINTS)


def _too_long(turn: Turn, text: str) -> None:
    sentence = f"这条消息有{len(text)}个字,太长了,没有记录。请分几次发,每行一位居民,每次不超过{LONGEST}字。"
    if turn.conversation.is_open:
        ask(turn, before=sentence)
    else:
        turn.say(sentence)
