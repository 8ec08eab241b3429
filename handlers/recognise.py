"""Which service a line is: by its words, else by the values that stand in it, preferring what the resident is enrolled in.

Driven by the forms' own declarations (`words`, `needs`, `about`, `programme`, their steps); no service has a case here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from handlers.absence import not_seen
from handlers.form import Form
from handlers.lines import Line, Reading, announced_before, blank, read_fields
from handlers.menu import FORMS, form_due
from handlers.steps import Known, Select, always, any_of, context
from handlers.steps.base import beginnings, characters

_NOT_DONE = re.compile(
    r"(?:没|不|未|拒|甭|莫)[^\s,。;\d]{0,4}$|(?:考虑|打算|准备|商量|犹豫|想好|想清楚|等|以后)[^\s,。;\d]{0,6}$"
    r"|(?:通知(?![单书])|提醒|动员|喊)[^,。;\d]{0,12}$"
)
_CALLED_OFF = re.compile(
    r"[^,。;\d]{0,6}?(?:取消|改期|推迟|延期|改天|(?:没|未)[^\s,。;\d]{0,2}(?:成|办|搞|开)|不(?:办|搞|开)了|通知(?![单书])|开始前)"
)
_PLANNED = re.compile(r"明[天日早晚]|后天|下(?:个?星期|个?礼拜|周|个?月|次|回)|准备|打算|提醒|计划|要去|记得")
_QUESTION = re.compile(
    r"[??]\s*$|怎么|咋|如何|为什么|为啥|吗\s*$|么\s*$|多少|(?<!没)(?<!没有)什么|哪[些里个]|(?<!没)啥|是不是|能不能|要不要|可不可以|有没有|高不高|几[点号天次]|[高低好]吗"
)


_NO_FINDINGS = frozenset({"on", "mode", "next_due_on", "self_reported", "referral_to"})


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of whom a line is about, while it is being read."""

    known: Known
    programmes: Mapping[str, str | None] = field(default_factory=dict)
    """Those they are enrolled in, with the service that the next visit was named to be."""
    named: bool = False

    def forms(self) -> dict[str, Form]:
        """Programme -> the form on which the next visit is recorded."""
        due = ((code, form_due(code, service, self.known)) for code, service in self.programmes.items())
        return {code: form for code, form in due if form is not None}


_LEAST_TOLD = {"programme": 1, "resident": 0, "new_resident": 1, "event": 2}
"""How much must be told beside a hint for it to name a form."""


def recognise(line: Line, person: Person) -> tuple[Reading, ...]:
    """Which records a line says, in menu order.

    1. Forms whose own words stand there, unless another's steps explain these words (签约 within 义诊).
    2. An event or a registration is one record by itself, unless a resident's values stand there too.
    3. Forms whose `needs` stand there: those the resident is enrolled in, and as few others as cover the rest.
    4. Without either: what the resident is enrolled in, if it understands something of the line.

    Where nothing is named, a hint names a programme's form for somebody it is for (体检 of a child, 产后) before 3, and a
    form of no programme (约, 转诊) only where 3 finds nothing.
    """
    explicit = _explicit(line, person.known) or _hinted(line, person)
    alone = [reading for reading in explicit if reading.form.about != "resident"]
    if alone:
        inside = [reading for reading in explicit if reading.form.about == "resident"]
        own = _by_needs(line, person, taken=alone[0].taken) if person.named else []
        if not own:
            empty = _only_asks(line, alone[0]) or _only_planned(line, alone[0])
            return () if empty else tuple(alone[0].split(person.known))
        explicit = inside
    taken = [span for reading in explicit for span in reading.taken]
    chosen = _in_order([*explicit, *_by_needs(line, person, taken=taken, chosen=[r.form for r in explicit])])
    if not chosen and (hinted := _hinted(line, person, of_no_programme=True)):
        return tuple(hinted)
    if not chosen and person.named and not _QUESTION.search(line.text):
        chosen = _by_enrolment(line, person)
    if not chosen or (not person.named and not _by_itself(line, chosen)):
        return ()
    if all(_only_asks(line, reading) or _only_planned(line, reading) for reading in chosen):
        return ()
    return tuple(each for reading in chosen for each in reading.split(person.known))


def all_taken(line: Line, known: Known) -> list[tuple[int, int]]:
    """What any follow-up understands in a line, whether or not it makes a record."""
    forms = [form for form in FORMS.values() if form.programme]
    return [span for form in forms for span in read_fields(form, line, known).taken]


def explained(reading: Reading, text: str) -> list[tuple[int, int]]:
    """What a reading took, with the words that name the service and those that announced what it found."""
    announcing = [match.span() for step, _ in reading.found for match in step.announcing.finditer(text)]
    hinting = [m.span() for m in re.finditer(any_of(reading.form.hints), text)] if reading.form.hints else []
    return [*reading.taken, *_word_spans(reading.form, text), *hinting, *announcing]


def needs_told(text: str, known: Known) -> set[str]:
    """The fields that some service cannot do without, as far as they are told here."""
    line = Line(text, text, (), ())
    return set().union(*(_needs_in(form, line, text, known) for form in FORMS.values() if form.needs))


def says_event(text: str) -> bool:
    """The words of an event or a registration stand here."""
    forms = [form for form in _spoken() if form.about != "resident"]
    return any(_word_spans(form, text) or (form.hints and _hints_of(form).search(text)) for form in forms)


def says_service(text: str) -> bool:
    return any(_word_spans(form, text) for form in _spoken())


def _spoken() -> list[Form]:
    """The forms that a line may name; those of supervisors have commands of their own."""
    return [form for form in FORMS.values() if not form.by_command]


def _explicit(line: Line, known: Known) -> list[Reading]:
    """Readings of the forms that a line names, without those whose name is a part of another one's answers."""
    spans = _longest({form: found for form in _spoken() if (found := _word_spans(form, line.text))})
    if not spans:
        return []
    named = {form.code for form in spans}
    spans = {form: found for form, found in spans.items() if named.isdisjoint(form.yields_to)}
    readings = {form: read_fields(form, line, known) for form in spans}
    return [
        readings[form]
        for form in spans
        if not any(
            other is not form
            and _inside(spans[form], readings[other].taken)
            and not _inside(spans[other], readings[form].taken)
            for other in spans
        )
    ]


def _hinted(line: Line, person: Person, *, of_no_programme: bool = False) -> list[Reading]:
    """The form that a word hints at, where that form is for this resident and finds something to record."""
    if is_question(line.text):
        return []
    for form in _spoken():
        if not form.hints or of_no_programme is bool(form.programme) or not _may_be_meant(form, person):
            continue
        if not any(not _not_done(line.text, *m.span()) for m in _hints_of(form).finditer(line.text)):
            continue
        reading = read_fields(form, line, person.known)
        told = [step for step, _ in reading.found if step.field != "on"]
        if len(told) >= _LEAST_TOLD[form.about if form.programme is None or not person.named else "programme"]:
            return [reading]
    return []


def _may_be_meant(form: Form, person: Person) -> bool:
    """An event is of nobody; a programme's form is for its own people, or for those of its age and sex."""
    if not form.programme:
        return person.named or form.about != "resident"
    enrolled, of_an_age = form.programme in person.programmes, form.fits is not always and person.known.age is not None
    return person.named and (enrolled or of_an_age) and form.fits(person.known)


@lru_cache(maxsize=64)
def _hints_of(form: Form) -> re.Pattern[str]:
    """At the beginning of a word: 李秀英体检, but not 通知体检; of an event anywhere, but not 水痘疫苗."""
    begins = "" if form.about != "resident" else r"(?:(?<![\u4e00-\u9fff])|(?<=[天日]))"
    pattern = f"{any_of(form.hints)}|{form.hinting}" if form.hinting else any_of(form.hints)
    return re.compile(rf"{begins}(?:{pattern})(?!疫苗|.?针)")


def _longest(spans: Mapping[Form, list[tuple[int, int]]]) -> dict[Form, list[tuple[int, int]]]:
    """签约服务 names another service than 签约 does."""
    every = [span for found in spans.values() for span in found]
    left = {
        form: [(a, b) for a, b in found if not any(c <= a and b <= d and d - c > b - a for c, d in every)]
        for form, found in spans.items()
    }
    return {form: found for form, found in left.items() if found}


def _word_spans(form: Form, text: str) -> list[tuple[int, int]]:
    if _beginnings_of(form).isdisjoint(characters(text)):
        return []
    return [m.span() for m in _words_of(form).finditer(text) if not _not_done(text, *m.span())]


def _not_done(text: str, start: int, end: int) -> bool:
    """不签约, 义诊取消了, 去年签约了: spoken of, and not what was done now."""
    spoken_of = _NOT_DONE.search(text[:start]) or _CALLED_OFF.match(text, end)
    return bool(spoken_of) or context.of_another_time(text, start)


@lru_cache(maxsize=64)
def _beginnings_of(form: Form) -> frozenset[str]:
    return beginnings((form.title, *form.words))


@lru_cache(maxsize=64)
def _words_of(form: Form) -> re.Pattern[str]:
    return re.compile(any_of((form.title, *form.words)))


def _inside(spans: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> bool:
    return all(any(first < end and start < last for first, last in taken) for start, end in spans)


def _by_needs(
    line: Line, person: Person, *, taken: Iterable[tuple[int, int]] = (), chosen: Sequence[Form] = ()
) -> list[Reading]:
    """Readings of the forms whose needs stand in the part of the line that nothing has taken."""
    text = blank(line.text, taken)
    found = {
        form: fields
        for form in FORMS.values()
        if form.needs
        and (person.known.born_on is None or form.fits(person.known))
        and form not in chosen
        and not (form.programme and form.programme in {other.programme for other in chosen})
        and (
            fields := _needs_in(form, line, text, person.known, figures=bool(chosen)) | _vaguely_told(form, line, text)
        )
    }
    if not found:
        return []
    wanted = set().union(*found.values()) - {f for form in chosen for f in form.needs}
    due = person.forms().values()
    picked = [form for form in found if form in due and found[form] & wanted]
    for form in picked:
        wanted -= {name for name in wanted if form.step(name)}
    while wanted:
        taken_up = {form.programme for form in picked if form.programme}  # one visit of a programme is one record
        left = [form for form in found if form not in picked and form.programme not in taken_up]
        anybodys = [form for form in left if form.fits is always]
        if person.known.born_on is None and all(any(form.step(name) for form in anybodys) for name in wanted):
            left = anybodys  # of somebody who is not known yet a pressure and a glucose are no antenatal visit
        best = max(left, key=lambda f: (_covers(f, wanted), len(found[f] & wanted)), default=None)
        if best is None or not _covers(best, wanted):
            break
        picked.append(best)
        wanted -= {name for name in wanted if best.step(name)}
    return [read_fields(form, line, person.known) for form in picked]


def _covers(form: Form, wanted: Iterable[str]) -> int:
    return sum(form.step(name) is not None for name in wanted)


def _needs_in(form: Form, line: Line, text: str, known: Known, *, figures: bool = False) -> set[str]:
    """Which of the fields a form needs are told, or at least doubted, in a text; 血糖高 beside a referral is no `figures`."""
    needs = set(form.needs)
    fields: set[str] = set()
    for step in form.needed:
        for found in line.finds(step, text, known):
            if figures and not re.search(r"\d", text[found.start : found.end]) and not isinstance(step, Select):
                continue
            if found.answer.values:
                fields |= needs & set(found.answer.values)
            elif found.answer.doubt is not None:
                asked = {name for _, values in found.answer.doubt.options for name in values}
                fields |= needs & asked or needs & {step.field}
    return fields


def _vaguely_told(form: Form, line: Line, text: str) -> set[str]:
    """空腹好像九点几: the value is there, and will be asked."""
    announced = [announced_before(form.steps, text, vague.start) for vague in line.vague]
    return {step.field for step in form.needed if step in announced}


def _by_enrolment(line: Line, person: Person) -> list[Reading]:
    """A named resident's pulse or medicine without the value itself: the visit they are due for, and it asks the rest.

    Only where every programme of theirs has a form: 规律服药 of a tuberculosis patient is not a pressure visit.
    """
    due = person.forms()
    if not person.programmes:
        return _gone_or_away(line, person)
    if not due or due.keys() != person.programmes.keys():
        return []
    readings = [read_fields(form, line, person.known) for form in FORMS.values() if form in due.values()]
    telling = [reading for reading in readings if any(s.field not in _NO_FINDINGS for s, _ in reading.found)]
    if not telling and _PLANNED.search(line.text):  # 明天给张桂兰量血压
        return []
    mentioned = [reading for reading in readings if _mentions_needs(reading.form, line.text)]
    best = sorted(telling or mentioned, key=lambda reading: (-len(reading.found), -_explains(reading)))
    return best[:1]


def _gone_or_away(line: Line, person: Person) -> list[Reading]:
    """Somebody of no programme who has died, moved or is away: told on the form that is for anybody."""
    anybodys = [f for f in FORMS.values() if f.step("outcome") and f.programme is None and f.protocol is None]
    readings = [read_fields(form, line, person.known) for form in anybodys]
    return [reading for reading in readings if not_seen(reading.answers)][:1]


def _explains(reading: Reading) -> int:
    """How many characters of the line the form takes: 吐血半碗 is more to a tuberculosis visit than to a pressure visit."""
    return sum(end - start for start, end in reading.taken)


def by_number(person: Person, line: Line, number: str) -> list[Reading]:
    """A name and one number without any word: the visit whose value it could be, and it will be asked."""
    due = person.forms()
    if not due or due.keys() != person.programmes.keys():
        return []
    plain = float(number) if number.replace(".", "", 1).isdecimal() else 0.0
    forms = [form for form in FORMS.values() if form in due.values()]
    first = [form for form in forms if any(s.guess(plain, person.known) for s in form.steps if s.field in form.needs)]
    return [read_fields((first or forms)[0], line, person.known)]


def _mentions_needs(form: Form, text: str) -> bool:
    """血压正常, 血糖没测: the value is spoken of, and not told."""
    steps = form.needed
    return any(re.search(rf"(?:{any_of((step.title, *step.words))})(?!计|仪|药)", text) for step in steps)


def is_question(text: str) -> bool:
    return bool(_QUESTION.search(text))


def _only_asks(line: Line, reading: Reading) -> bool:
    """A question without anything to record: 高血压怎么分级?"""
    told = any(step.field not in ("on", "place", "next_due_on") for step, _ in reading.found)
    return not told and bool(_QUESTION.search(line.text))


def _only_planned(line: Line, reading: Reading) -> bool:
    """明天走访五保户, 下周一培训: nothing has been done yet, and nothing is said of it."""
    told = any(step.field not in ("on", "next_due_on") for step, _ in reading.found)
    return not told and "on" in reading.doubts and bool(_PLANNED.search(line.text))


def _by_itself(line: Line, chosen: Sequence[Reading]) -> bool:
    """Without a name, only a value makes a line an entry, and only where not much else is said."""
    told = any(set(reading.form.needs) & set(reading.answers) or reading.doubts for reading in chosen)
    return told and not _QUESTION.search(line.text)


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    order = list(FORMS.values())
    return sorted(readings, key=lambda reading: order.index(reading.form))
