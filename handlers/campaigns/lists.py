"""A doctor's own people of a campaign: pages to tick, and lines that tick. 名单与打勾

A list never shows a result. Several can be ticked together on a card; `张桂兰、王秀英 通知了` does the same in a line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers import residents
from handlers.asking import ask
from handlers.campaigns.texts import name_of, part
from handlers.reading.normalise import tidy
from handlers.turn import Turn
from models import campaign_work
from models.campaign import Campaign, campaigns_for
from models.campaign_figures import Guest, all_of, count_guests, guests, guests_among, scoreboard
from models.campaign_figures import Which as Which
from models.campaign_work import Tick
from models.eligibility import Wanted, eligible_residents
from models.message import Choice, mark_name
from models.people import STATUS_TITLES, Resident, Role, Status, full_years

PAGE = 8
TITLES: dict[Which, str] = {"to_tell": "还没通知", "to_come": "还没来", "all": "名单"}
TICKS: dict[str, Tick] = {"told": "told", "came": "came"}
DONE = {"told": "通知了", "came": "来了"}
OF_LIST = {"to_tell": "told", "to_come": "came"}


def show(
    turn: Turn, campaign: Campaign, which: Which, offset: int, *, before: str = "", ticked: Sequence[str] = ()
) -> None:
    """A page of a list. Whom to tell and who came can be ticked, several at once."""
    total = count_guests(turn.session, campaign, turn.scope, which)
    if not turn.scope.names:
        turn.say(f"{name_of(campaign)} {TITLES[which]}{total}人。按规定这一级只看数字,名单在村医和乡镇。")
        return
    offset = offset if offset < total else 0
    page = guests(turn.session, campaign, turn.scope, which, limit=PAGE, offset=offset)
    if not page:
        text = "都通知到了。" if which == "to_tell" else "名单上没有人了。"
        turn.say(f"{before}\n{name_of(campaign)} {text}".strip(), [Choice(f"camp.{campaign.id}", "看活动")])
        return
    pages = f" 第{offset // PAGE + 1}/{-(-total // PAGE)}页" if total > PAGE else ""
    act = {"to_tell": "tell", "to_come": "come"}.get(which, "all")
    more = [Choice(f"camp.{campaign.id}.{act}.{offset + PAGE}", "下一页")] if offset + PAGE < total else []
    if which not in OF_LIST or turn.worker.role != Role.DOCTOR:
        lines = [f"{n}. {_line(turn, guest)}" for n, guest in enumerate(page, offset + 1)]
        turn.say("\n".join([before, f"{name_of(campaign)} {TITLES[which]}{total}人{pages}", *lines]), more)
        return
    state = f"{OF_LIST[which]}{campaign.id}"
    turn.conversation.last["ticks"] = {"state": state, "ids": list(ticked), "offset": offset}
    choices = [Choice(f"{state}.{g.resident_id}", f"{mark_name(g.name)} {_short(turn, g)}") for g in page]
    turn.say(  # short enough for the face of one card, which carries the names
        "\n".join([before or name_of(campaign), f"{TITLES[which]}{total}人{pages}{_villages(turn, page)}"]),
        [*choices, Choice(f"{state}.done", DONE[OF_LIST[which]]), *more],
        many=True,
        ticked=tuple(f"{state}.{resident}" for resident in ticked),
    )


def _villages(turn: Turn, page: Sequence[Guest]) -> str:
    """The villages of a page, where the doctor has several: a list goes village by village."""
    names = dict(turn.villages)
    if len(names) < 2:
        return ""
    return ":" + "、".join(dict.fromkeys(names[guest.village_id] for guest in page if guest.village_id in names))


def _line(turn: Turn, guest: Guest) -> str:
    age = f"{full_years(guest.born_on, turn.today)}岁" if guest.born_on else ""
    villages = dict(turn.villages) if len(turn.villages) > 1 else {}
    where = villages.get(guest.village_id, "") + (guest.village_group or "")
    away = f"({STATUS_TITLES[Status(guest.status)]})" if guest.status != Status.ACTIVE else ""
    stands = (
        "已来" if guest.came_on
        else f"不来{f':{guest.decline_reason}' if guest.decline_reason else ''}" if guest.declined_on
        else "已通知" if guest.told_on
        else ""
    )  # fmt: skip
    return " ".join(p for p in (mark_name(guest.name), f"{age}{away}", where, stands) if p)


def _short(turn: Turn, guest: Guest) -> str:
    """Enough to tell two masked names apart on a button."""
    age = f"{full_years(guest.born_on, turn.today)}岁" if guest.born_on else ""
    return f"{age}{guest.village_group or ''}"


# --- ticking by buttons ---


def ticked(turn: Turn, chosen: Sequence[str]) -> bool:
    """A tick on a list, or several with 通知了 / 来了. False when the button is none of these."""
    match = re.fullmatch(r"(told|came)(\d+)\.(\d+|done)", chosen[0])
    if match is None:
        return False
    what, number = match[1], int(match[2])
    campaign = next((c for c in campaigns_for(turn.session, turn.worker) if c.id == number), None)
    if campaign is None:
        turn.say("这个活动已经停止或结束了,不用再打勾。", [Choice("campaign", "活动")])
        return True
    state = f"{what}{number}"
    kept = turn.conversation.last.get("ticks") or {}
    ids: list[str] = list(kept.get("ids", [])) if kept.get("state") == state else []
    offset = int(kept.get("offset", 0)) if kept.get("state") == state else 0
    pressed = [choice.partition(".")[2] for choice in chosen]
    done = "done" in pressed
    named = [p for p in pressed if p != "done"]
    ids = named if done and named else [*(i for i in ids if i not in named), *(p for p in named if p not in ids)]
    which: Which = "to_tell" if what == "told" else "to_come"
    if not done:
        show(turn, campaign, which, offset, ticked=ids)
        return True
    own = [resident.id for i in ids if (resident := turn.resident(int(i))) is not None]
    if not own:
        show(turn, campaign, which, offset, before=f"先勾选,再点“{DONE[what]}”。")
        return True
    campaign_work.tick(turn.session, campaign, own, TICKS[what], turn.today, by=turn.worker.id)
    show(turn, campaign, which, offset, before=f"✅ {len(own)}人{DONE[what]},{_stands(turn, campaign)}")
    return True


def _stands(turn: Turn, campaign: Campaign) -> str:
    score = all_of(scoreboard(turn.session, campaign, turn.scope))
    came = f",已来{score.came}" if score.came or campaign.starts_on <= turn.today else ""
    return f"已通知{part(score.told, score.invited)}{came}。"


# --- ticking by a line ---

_SAYS: tuple[tuple[str, Tick], ...] = (
    ("还没通知|没通知|未通知", "not_told"),
    ("没有来|没来|未到", "not_come"),
    ("不愿意来|不肯来|不想来|来不了|不能来|不来了?|不去了?|不参加|拒绝", "declined"),
    ("都?(?:已经|已)?通知到?了|都?通知到位了?|都?已?通知|都?告诉了|都?说了|都?打电话了", "told"),
    ("都?(?:已经|已)?来了|都?(?:已经|已)?到了|都?来过了?|都?参加了|都?检查了|都?查了|都?做了", "came"),
)
_TICK = re.compile(
    rf"(?P<names>.+?)[\s,,::]*(?:{'|'.join(f'(?P<{tick}>{words})' for words, tick in _SAYS)})[\s,,::。]*(?P<reason>.*)"
)
_TICK_FIRST = re.compile(  # 通知了 贾莲菊
    rf"(?:{'|'.join(f'(?P<{tick}>{words})' for words, tick in _SAYS if tick in ('told', 'came'))})[\s,:]+(?P<names>.+)"
)
_NOBODY_NAMED = re.compile(
    r"(?:所有人|全部|大家|名单上的人?|都)*(?:已经?)?"
    r"(?:(?P<told>都?通知到?了|都?通知完了?)|(?<=[部人都家的])(?P<came>都?来了|都?到了))[。!~]*"
)
_SEPARATOR = re.compile(r"[\s、,,;;和跟及与]+")
_EVERYBODY = re.compile(r"(?:所有人|全部|大家|名单上的|都)")
SAID = {"told": "已通知", "came": "已来", "declined": "不来", "not_told": "改为未通知", "not_come": "改为没来"}


def take_line(turn: Turn, text: str) -> bool:
    """`张桂兰、王秀英 通知了`, `刘金花 不来 在外打工`: false when the text is no such line, or concerns no campaign.

    1. Everything before the word must be names, and at least one of them on a list or eligible. Several lines are
       several of these, or nothing is one.
    2. Somebody invited to several campaigns is asked about.
    3. A name that fits several people, or nobody, is quoted back; the others are ticked.
    4. 来了 before the first day is a visit to the doctor, and no tick.
    5. 都通知了 names nobody: the list is shown, to be ticked.
    """
    if turn.worker.role != Role.DOCTOR or len(text) > 600 or re.search(r"\d", text):
        return False
    text = tidy(text)
    if everybody := _NOBODY_NAMED.fullmatch(text):
        return not turn.conversation.is_open and _show_to_tick(turn, "to_tell" if everybody["told"] else "to_come")
    said: dict[tuple[Tick, str], list[str]] = {}
    for line in filter(None, text.split("\n")):
        match = _TICK.fullmatch(line) or _TICK_FIRST.fullmatch(line)
        if match is None:
            return False
        tick: Tick = next(t for _, t in _SAYS if match.groupdict().get(t))
        reason = match.groupdict().get("reason") or ""
        if reason and tick != "declined":
            return False
        said.setdefault((tick, reason), []).append(match["names"])
    open_ones = [c for c in campaigns_for(turn.session, turn.worker) if c.rule is not None]
    if not open_ones or not said:
        return False
    done = [_take(turn, open_ones, tick, "、".join(names), reason) for (tick, reason), names in said.items()]
    if any(done):
        for (_, names), taken in zip(said.items(), done, strict=True):
            if not taken:
                turn.say(f"没找到“{'、'.join(names)[:30]}”,没有打勾。")
    return any(done)


def _take(turn: Turn, campaigns: Sequence[Campaign], tick: Tick, names: str, reason: str) -> bool:
    """Tick those who are named; false when nobody is, or nobody who is invited."""
    people, unclear = _named(turn, names)
    if not people:
        return False
    if tick in ("came", "not_come"):  # before the day, 来了 is a visit to the doctor
        in_form = {draft.resident_id for draft in turn.conversation.drafts}
        if any(p.id in in_form for p in people):
            return False
        ahead = [c for c in campaigns if c.starts_on > turn.today]
        campaigns = [c for c in campaigns if c.starts_on <= turn.today]
        if not campaigns:
            return _too_early(turn, ahead, people)
    invited = guests_among(turn.session, [c.id for c in campaigns], [p.id for p in people])
    able = [c for c in campaigns if any(c.id in invited[p.id] for p in people)]
    able = able or (list(campaigns) if tick == "came" else [])
    if not able:
        return False
    if len(able) > 1:
        turn.conversation.last["line"] = {"tick": tick, "ids": [p.id for p in people], "reason": reason}
        shown = "、".join(mark_name(p.name) for p in people)
        turn.say(f"{shown} {SAID[tick]}:是哪个活动?", [Choice(f"tickin.{c.id}", name_of(c)[:20]) for c in able[:6]])
        return True
    _tick_people(turn, able[0], people, tick, reason, unclear)
    return True


def _too_early(turn: Turn, ahead: Sequence[Campaign], people: Sequence[Resident]) -> bool:
    """Said of somebody invited to what is still ahead, and of nothing else: when it can be ticked."""
    invited = guests_among(turn.session, [c.id for c in ahead], [p.id for p in people])
    meant = next((c for c in ahead if any(c.id in invited[p.id] for p in people)), None)
    if meant is None or turn.conversation.is_open:
        return False
    who = mark_name(people[0].name)
    turn.say(
        f"{name_of(meant)}还没到日子,没有打勾。通知到了请发:{who} 通知了。要记随访请把项目和数值一起发。",
        [Choice(f"camp.{meant.id}.tell", "待通知"), Choice(f"camp.{meant.id}", "看活动")],
    )
    return True


def _show_to_tick(turn: Turn, which: Which) -> bool:
    """The list of the only campaign with somebody on it, or the question which; false where there is none."""
    campaigns = [
        c
        for c in campaigns_for(turn.session, turn.worker)
        if c.rule is not None
        and (which == "to_tell" or c.starts_on <= turn.today)
        and count_guests(turn.session, c, turn.scope, which)
    ]
    act = "tell" if which == "to_tell" else "come"
    if len(campaigns) > 1:
        turn.say("是哪个活动?", [Choice(f"camp.{c.id}.{act}", name_of(c)[:20]) for c in campaigns[:6]])
    elif campaigns:
        before = f"{name_of(campaigns[0])}:请勾选是哪些人,再点“{DONE[OF_LIST[which]]}”。"
        show(turn, campaigns[0], which, 0, before=before)
    return bool(campaigns)


def take_in(turn: Turn, rest: str) -> None:
    """The campaign that a line of names was for."""
    kept = turn.conversation.last.pop("line", None)
    campaign = next((c for c in campaigns_for(turn.session, turn.worker) if str(c.id) == rest), None)
    if kept is None or campaign is None:
        turn.say("请再发一次,例如:张桂兰 通知了。")
        return
    people = [resident for i in kept["ids"] if (resident := turn.resident(i)) is not None]
    _tick_people(turn, campaign, people, kept["tick"], kept["reason"], [])


def _tick_people(
    turn: Turn, campaign: Campaign, people: Sequence[Resident], tick: Tick, reason: str, unclear: Sequence[str]
) -> None:
    invited = guests_among(turn.session, [campaign.id], [p.id for p in people])
    listed = [p for p in people if campaign.id in invited[p.id]]
    strangers = [p for p in people if campaign.id not in invited[p.id]]
    ticked_now = [*listed, *(strangers if tick == "came" else [])]
    campaign_work.tick(
        turn.session, campaign, [p.id for p in ticked_now], tick, turn.today, by=turn.worker.id, reason=reason or None
    )
    lines = []
    if ticked_now:
        names = "、".join(mark_name(p.name) for p in ticked_now)
        lines.append(f"✅ {names} {SAID[tick]}{f'({reason})' if reason else ''}。{_stands(turn, campaign)}")
    for person in strangers:
        fits = _fits(turn, campaign, person) if tick == "came" else False
        why = "不在名单上" + (
            "" if tick != "came" else ",已另记为名单外到场" if fits else ",也不符合对象,已另记为名单外到场,请核对"
        )
        lines.append(f"{mark_name(person.name)}{why}。")
    lines += unclear
    if tick == "declined" and not reason and ticked_now:
        lines.append(f"什么原因不来?可以发:{mark_name(ticked_now[0].name)} 不来 在外打工")
    turn.say("\n".join(lines), [Choice(f"camp.{campaign.id}.tell", "待通知"), Choice(f"camp.{campaign.id}", "看活动")])
    if turn.conversation.is_open:
        ask(turn)


def _fits(turn: Turn, campaign: Campaign, person: Resident) -> bool:
    wanted = campaign_work.wanted_of(turn.session, campaign)
    assert isinstance(wanted, Wanted)
    return turn.session.scalar(eligible_residents(wanted).where(Resident.id == person.id)) is not None


def _named(turn: Turn, said: str) -> tuple[list[Resident], list[str]]:
    """Whom the words before the tick name, and a sentence for each word that names nobody, or several."""
    said = _EVERYBODY.sub(" ", said) if _SEPARATOR.search(said) else said
    people: list[Resident] = []
    unclear: list[str] = []
    for word in filter(None, _SEPARATOR.split(said)):
        match = residents.find_in_line(turn, word)
        if match is None or match.said != word:
            unclear.append(f"没找到“{word[:10]}”,没有打勾。")
        elif not match.is_sure:
            found = [r for i in match.ids[:4] if (r := turn.resident(i)) is not None]
            who = "、".join(f"{mark_name(r.name)} {residents.describe(turn, r)}" for r in found)
            unclear.append(f"“{word[:10]}”是哪一位?{who}。请到名单里勾选。")
        elif (resident := turn.resident(match.ids[0])) is not None:
            people.append(resident)
    return people, unclear
