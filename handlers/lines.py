"""Reading one line against one form: every step looks for itself, and nothing in the line is passed over in silence.

A line is prepared once (names out of the way, numerals as digits, vague numbers marked) and can then be read by
several forms. What a form's steps leave over is for the caller: `unread` words are quoted back, loose numbers asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from handlers.form import Form
from handlers.reading import numerals
from handlers.steps import Answer, Day, Found, Known, Step, Values
from handlers.steps.base import TAKEN
from models.conversation import Doubt

Claim = tuple[Step, Found]

# Small numerals that count nothing worth recording (一天, 两口子, 第一次); left as words they are not asked about.
_FAR = 14  # characters between the words and a vague number of theirs: 空腹血糖没记住好像九点几
_KEPT = re.compile(
    r"(?<![十百千零〇一二三四五六七八九\d])(?:一[天周次起下点直般共家日样些切口]|一个(?!半?月|半)|两口子|两个人|两个都|两样|俩|[一二两三四五]次(?=测|量|平均|血压)|第[一二三]次|两人|一人)"
)
_CLOCK = re.compile(
    r"(?<![\d.])\d{1,2}(?:点(?:钟|半|整|[一二三]刻|\d{1,2}分?)?(?!\d)|:\d{2}(?!\d)|时(?:半|\d{1,2}分?)?)(?:左右|多)?"
)
_SEVEN_AND_MORE = re.compile(
    r"(?P<before>(?:空腹|血糖|餐后|饭后|随机|糖化|体温|公斤|体重)[\s:是有到]*[〇零一二三四五六七八九十百\d]+点)多"
)  # 空腹七点多 is no hour
_DENIED = re.compile(r"(?:并不是|不是|并非|而非)\s*(?:血压|高压|低压|心率)?\s*\d[\d./]*")
_FILED = re.compile(r"(?:编号|档案号|档案编号|编码|卡号|协议号)\s*:?\s*[\dA-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Vague:
    """A number that is only about right, and how it was typed."""

    start: int
    end: int
    raw: str


@dataclass(frozen=True, slots=True)
class Line:
    """`said` is what is quoted, `text` what the steps look at; both are equally long."""

    said: str
    text: str
    numbers: tuple[tuple[int, int], ...]
    vague: tuple[Vague, ...]
    seen: dict[tuple[str, int], tuple[Known, dict[Step, tuple[Found, ...]]]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What steps have found already: many forms share them, and the line is read against each."""

    def finds(self, step: Step, text: str, known: Known) -> tuple[Found, ...]:
        """What a step finds in a part of this line."""
        _, found = self.seen.setdefault((text, id(known)), (known, {}))
        if step not in found:
            found[step] = tuple(step.find(text, known))
        return found[step]


@dataclass(slots=True)
class Reading:
    """What one form sees in a line."""

    form: Form
    answers: Values = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    found: list[tuple[Step, Answer]] = field(default_factory=list)
    least: list[tuple[str, Values]] = field(default_factory=list)
    """What a vague number means at the least, by the step that asks it: enough to raise an alarm, never stored."""
    taken: list[tuple[int, int]] = field(default_factory=list)
    several: list[Values] = field(default_factory=list)
    """The values of the form's `each`, where there is more than one: as many records."""
    of_all: set[str] = field(default_factory=set)
    """The steps whose answers are said of all of these: before them, after them, or with 都."""

    def split(self, known: Known) -> list[Reading]:
        """One reading for each of `several`; a finding goes where its step belongs, and what is said of one only is asked."""
        return [self._of(values, known) for values in self.several] or [self]

    def _of(self, values: Values, known: Known) -> Reading:
        told = [replace(known, answers={**self.answers, **other}) for other in self.several]
        own = replace(known, answers={**self.answers, **values})
        kept = [
            (step, answer)
            for step, answer in self.found
            if step.when(own) and (step.field in self.of_all or not all(step.when(other) for other in told))
        ]
        names = {name for step, _ in kept for name in step.fields}
        answers = {name: value for name, value in self.answers.items() if name in names}
        doubts = {name: doubt for name, doubt in self.doubts.items() if name in names}
        return Reading(self.form, {**answers, **values}, doubts, kept, self.least, self.taken)


_OF_ALL = re.compile("都|均|全部")


def prepare(said: str, names: Sequence[str] = (), places: Sequence[str] = ()) -> Line:
    """A tidied line as the steps want it.

    1. Chinese numerals become digits, but not in names, places and small words (一起, 两口子).
    2. A vague number (一百六七) gets the digits it may mean and is marked, so that it is asked by the step it belongs to.
    3. Names, clock times, file numbers and denied values (不是162) are blanked.
    """
    said = _SEVEN_AND_MORE.sub(lambda found: f"{found['before']}几", said)
    protected = [*names, *places, *dict.fromkeys(m[0] for m in _KEPT.finditer(said))]
    arabic = numerals.to_arabic(said, protected)
    parts: list[str] = []
    numbers: list[tuple[int, int]] = []
    vague: list[Vague] = []
    at = length = 0
    for span in numerals.numbers_in(arabic, protected):
        raw = arabic[span.start : span.end]
        plain = raw.replace(".", "", 1).isdecimal()
        written = raw if plain else f"{span.value:.10g}"
        parts += [arabic[at : span.start], written]
        length += span.start - at
        if span.approximate:
            vague.append(Vague(length, length + len(written), raw))
        numbers.append((length, length + len(written)))
        length += len(written)
        at = span.end
    shown = "".join([*parts, arabic[at:]])
    blanked = shown
    for name in names:
        blanked = blanked.replace(name, " " * len(name))
    for pattern in (_FILED, _DENIED):
        blanked = pattern.sub(_spaces, blanked)
    counted = {start for start, _ in numbers}
    for v in vague:  # 150多/90
        if blanked[v.end : v.end + 1] in set("多几余来把"):
            blanked = f"{blanked[: v.end]} {blanked[v.end + 1 :]}"
    blanked = _CLOCK.sub(lambda m: m[0] if m.start() in counted else _spaces(m), blanked)
    kept = tuple((start, end) for start, end in numbers if blanked[start:end].strip())
    return Line(shown, blanked, kept, tuple(v for v in vague if blanked[v.start : v.end].strip()))


def read_fields(form: Form, line: Line, known: Known, *, text: str | None = None) -> Reading:
    """Every step of the form looks for itself in the line.

    1. What its own words announce is taken first, the longest first (体重52/50 before a pressure of 52/50).
    2. In what is left, the rest is taken, again the longest first.
    3. At last what now stands apart (带教2小时), and what merely looks like a place or a topic.
    4. A vague number is asked by the step that claims it, or whose words stand before it.
    """
    text = line.text if text is None else text
    claims = _claims(form.steps, text, known, line)
    taken = _settled([claim for claim in claims if claim[1].announced])
    if taken:
        text = blank(text, [found for _, found in taken])
        claims = _claims(form.steps, text, known, line)
    at_last = [step for step, found in claims if found.at_last]
    rest = _settled([claim for claim in claims if not claim[1].at_last])
    lost = {step for step, _ in _lost(rest, claims)}
    if lost:  # another step took a part of what this one had read as a whole: read it again without that part
        rest = [claim for claim in rest if claim[0] not in lost]
        text = blank(text, [found for _, found in rest])
        rest += _settled(_claims([step for step in form.steps if step in lost], text, known, line))
    seen = {step for step, _ in [*taken, *rest]}
    late = [step for step in form.steps if step in at_last or step not in seen]
    if rest or at_last:
        rest += _settled(_claims(late, blank(text, [found for _, found in rest]), known, line))
    reading = Reading(form)
    last = max((found.end for step, found in [*taken, *rest] if step.field == form.each), default=0)
    first = min((found.start for step, found in [*taken, *rest] if step.field == form.each), default=0)
    for step in form.steps:
        answers = [_unless_vague(reading, step, found, line) for owner, found in [*taken, *rest] if owner is step]
        if step.field == form.each and len(several := _different(answers)) > 1:
            reading.several = several
            reading.found.append((step, Answer({})))
        elif answers:
            _keep(reading, step, _merged(step, answers))
            spans = [found for owner, found in [*taken, *rest] if owner is step]
            if _OF_ALL.search(line.text) or all(f.start >= last or f.end <= first for f in spans):
                reading.of_all.add(step.field)
    reading.taken = sorted((found.start, found.end) for _, found in [*taken, *rest])
    _ask_vague_ones(reading, line)
    return reading


def blank(text: str, spans: Iterable[Found | tuple[int, int]]) -> str:
    """The text with these parts taken out, so that nothing else is read there or across."""
    for span in spans:
        start, end = (span.start, span.end) if isinstance(span, Found) else span
        text = text[:start] + TAKEN * (end - start) + text[end:]
    return text


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _claims(steps: Iterable[Step], text: str, known: Known, line: Line) -> list[Claim]:
    """What each step finds; a verbatim one also in the names and times that are blanked for all others."""
    as_said = "".join(t if t == TAKEN else s for t, s in zip(text, line.said, strict=True))
    return [(step, found) for step in steps for found in line.finds(step, as_said if step.verbatim else text, known)]


def _settled(claims: Sequence[Claim]) -> list[Claim]:
    """Of claims that overlap, the longest."""
    kept: list[Claim] = []
    for claim in sorted(claims, key=lambda c: (c[1].start - c[1].end, c[1].start)):
        if all(claim[1].end <= found.start or claim[1].start >= found.end for _, found in kept):
            kept.append(claim)
    return kept


def _lost(kept: Sequence[Claim], claims: Sequence[Claim]) -> list[Claim]:
    """Claims that a step lost to another one, although it kept others."""
    spans = {(step, found.start, found.end) for step, found in kept}
    return [
        (step, found)
        for step, found in claims
        if (step, found.start, found.end) not in spans
        and any(other is not step and found.start < taken.end and taken.start < found.end for other, taken in kept)
    ]


def _unless_vague(reading: Reading, step: Step, found: Found, line: Line) -> Answer:
    vague = next((v for v in line.vague if found.start <= v.start < found.end), None)
    if vague is None or step.spans:
        return found.answer
    said = line.said[found.start : found.end]
    if isinstance(step, Day) and (
        re.search(r"\d[-./]\d", said) or re.fullmatch("[〇零一二三四五六七八九]{4}", vague.raw)
    ):
        return found.answer  # 2026-11-20 looks like a range, and 二〇二六 like two numbers
    said = line.said[found.start : vague.start] + vague.raw + line.said[vague.end : found.end]
    reading.least.append((step.field, found.answer.values))
    return Answer({}, _how_much(step, said.strip(), vague, found.answer))


def _how_much(step: Step, said: str, vague: Vague, answer: Answer | None = None) -> Doubt:
    """A slip of the keyboard (l46) or a figure with 左右 is offered as it stands; anything else has to be said again."""
    figures = re.search(r"\d", vague.raw) and "几" not in vague.raw
    slip = answer is not None and answer.values and not answer.doubt and figures
    options = [(f"{step.title} {step.show(answer.values)}", answer.values)] if slip and answer else []
    why = "看不准" if re.search(r"[A-Za-z,]", vague.raw) else "不够准确"
    return Doubt(f"“{said}”{why},{step.title}到底是多少?", options)


def _merged(step: Step, answers: Sequence[Answer]) -> Answer:
    """All that a step found, as one answer; two different values are asked."""
    values: Values = {}
    doubts: list[Doubt] = []
    for answer in {id(answer): answer for answer in answers}.values():
        if answer.doubt is not None:
            doubts.append(answer.doubt)
        for name, value in answer.values.items():
            if values.get(name, value) != value:
                return Answer({}, _which(step, answers))
            values[name] = value
    for doubt in doubts:  # 平时规律服药 这两天没吃药: neither is taken
        unclear = {name for _, choice in doubt.options for name in choice}
        if all(choice for _, choice in doubt.options) and not any(a.doubt is doubt and a.values for a in answers):
            values = {name: value for name, value in values.items() if name not in unclear}
    if values:  # "上次体重62 这次61": the clear one answers what the other made doubtful
        doubts = [doubt for doubt in doubts if all(choice for _, choice in doubt.options) or not doubt.options]
    return Answer(values, doubts[0] if doubts else None)


def _different(answers: Sequence[Answer]) -> list[Values]:
    """The different values, in the order in which they are said; none where one of them is doubtful."""
    if any(answer.doubt for answer in answers):
        return []
    told = [answer.values for answer in answers if answer.values]
    return [values for n, values in enumerate(told) if values not in told[:n]]


def _which(step: Step, answers: Sequence[Answer]) -> Doubt:
    options = {step.show(answer.values): answer.values for answer in answers if answer.values}
    return Doubt(f"{step.title}有不止一个:{'、'.join(options)},是哪个?", list(options.items()))


def _keep(reading: Reading, step: Step, answer: Answer) -> None:
    """Two steps may tell the same thing (the identity number tells the sex): where they differ it is asked."""
    against = {name for name, value in answer.values.items() if reading.answers.get(name, value) != value}
    if against:
        both = [(step.show(answer.values), answer.values)]
        reading.doubts[step.field] = Doubt(f"{step.title}和前面说的不一致,请核对。", both)
        for name in against:
            del reading.answers[name]
        return
    reading.answers.update(answer.values)
    if answer.doubt is not None:
        reading.doubts[step.field] = answer.doubt
    if answer.values or answer.doubt:
        reading.found.append((step, answer))


def _ask_vague_ones(reading: Reading, line: Line) -> None:
    """A vague number that no step claimed belongs to the nearest words before it: 空腹血糖好像九点几."""
    for vague in line.vague:
        if any(start <= vague.start < end for start, end in reading.taken):
            continue
        step = announced_before(reading.form.steps, line.text, vague.start)
        if step is not None and step.field in reading.doubts:  # 空腹六点五到七: both ends are asked at once
            reading.taken.append((vague.start, vague.end))
        elif step is not None and not step.is_answered(reading.answers):
            doubt = _how_much(step, vague.raw, vague)
            reading.doubts[step.field] = doubt
            reading.found.append((step, Answer({}, doubt)))
            reading.taken.append((vague.start, vague.end))


def announced_before(steps: Iterable[Step], text: str, at: int) -> Step | None:
    """The step whose words stand last before a place in the same clause."""
    clause = re.split(r"[,。;\n\ue010]", text[:at])[-1][-_FAR:]
    best: tuple[int, Step] | None = None
    for step in steps:
        for match in step.announcing.finditer(clause):
            if best is None or match.end() > best[0]:
                best = (match.end(), step)
    return best[1] if best else None
