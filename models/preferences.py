"""What may be set about reminders without code, by whom, and within what limits. 提醒设置

Above each other stand: what the timetable says, the operator's `CUNYI_REMINDERS`, the county's settings, a township's,
and a worker's own. Emergencies and clocks are in no list here: nobody can turn them off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from models.people import HealthWorker, Organisation, Role

KEY = "reminders"
"""Under which name they stand in `HealthWorker.settings` and `Organisation.settings`."""
KEPT = 300  # of what is worked out: a few days of every part
EARLIEST, LATEST = time(6, 30), time(11, 30)
"""Between these a worker may put what comes in the morning."""
SUPERVISORS = frozenset({Role.TOWNSHIP, Role.COUNTY})
DOCTORS = frozenset({Role.DOCTOR})


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of days after which something is said. A township sets its own where `by` has it, the county all others'."""

    code: str
    title: str
    default: int
    least: int
    most: int
    by: frozenset[Role]
    words: tuple[str, ...]

    @property
    def limits(self) -> str:
        return f"{self.least}到{self.most}天"

    def read(self, value: Any) -> int:
        """A number within the limits. Raises ValueError with what to write instead."""
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal() or not self.least <= int(text) <= self.most:
            raise ValueError(f"{self.title}要在{self.limits}之间")
        return int(text)


THRESHOLDS: Mapping[str, Threshold] = {
    threshold.code: threshold
    for threshold in (
        Threshold("township_days", "逾期几天告诉公卫科", 14, 3, 60, SUPERVISORS, ("公卫科", "乡镇", "逾期")),
        Threshold("county_days", "逾期几天告诉卫健局", 30, 7, 180, frozenset({Role.COUNTY}), ("卫健局", "县", "全县")),
        Threshold("silent_days", "村医几天没动静问一声", 7, 3, 60, SUPERVISORS, ("没动静", "动静", "安静")),
        Threshold("unserved_days", "签约几天没服务提醒", 90, 14, 300, SUPERVISORS, ("没服务", "履约", "服务")),
    )
}
"""None of these is in the norm: they are decisions of this project [D], and the county's to change."""

CAN_BE_OFF: Mapping[str, tuple[str, frozenset[Role]]] = {
    "visits": ("到期和逾期名单(急的照样提醒)", DOCTORS),
    "windows": ("孕产妇、儿童等时间窗", DOCTORS),
    "agreements": ("签约到期", DOCTORS),
    "unserved": ("签约后没服务", DOCTORS),
    "silent": ("好久没动静的问候", DOCTORS),
    "supervisor_weekly": ("每周简报", SUPERVISORS),
    "supervisor_monthly": ("月报", SUPERVISORS),
    "supervisor_quarterly": ("季报", SUPERVISORS),
}
"""What a worker may turn off, with what it is called and whose it is."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Between these county-local hours nothing is said unasked, alarms excepted. 免打扰时段"""

    begins: time = time(21, 0)
    ends: time = time(6, 30)

    def __contains__(self, at: time) -> bool:
        return at >= self.begins or at < self.ends

    def after(self, at: datetime, tz: tzinfo) -> datetime:
        """The instant itself, or the end of the quiet hours it lies in."""
        local = at.astimezone(tz)
        if local.time() not in self:
            return at
        day = local.date() + timedelta(days=local.time() >= self.begins)
        return datetime.combine(day, self.ends, tz)


class Preferences:
    """What is set, for the whole county at once: a few dozen organisations say anything of their own."""

    def __init__(
        self,
        operator: Mapping[str, Any],
        areas: Iterable[tuple[str, Mapping[str, Any]]] = (),
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.operator, self.rules = operator, rules or {}
        self._kept: dict[Any, Any] = {}
        self._areas = sorted((path, settings) for path, settings in areas if settings)

    def keep(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What is worked out from them once, and used for as long as they stand: queries, which take longer to put
        together than to run."""
        if key not in self._kept:
            if len(self._kept) > KEPT:
                self._kept.clear()
            self._kept[key] = make()
        return self._kept[key]

    def days(self, code: str, path: str = "") -> int:
        """A threshold as it stands for an organisation (by its path): the nearest one above that says something."""
        threshold = THRESHOLDS[code]
        found = self.operator.get(code, threshold.default)
        for area, settings in self._areas:
            if path.startswith(area) and code in settings:
                found = settings[code]
        return threshold.read(found)

    def days_past(self, code: str, day: Any, organisation_id: Any, today: date) -> ColumnElement[bool]:
        """SQL: a day lies so many days back as the threshold of its organisation says."""
        return self.past(code, day, organisation_id, lambda back: today - back)

    def past(
        self, code: str, moment: Any, organisation_id: Any, limit: Callable[[timedelta], Any]
    ) -> ColumnElement[bool]:
        """SQL: a day or instant is not after `limit` of the threshold of its organisation."""
        general: Any = limit(timedelta(days=self.days(code)))
        own = [(path, limit(timedelta(days=self.days(code, path)))) for path, said in self._areas if code in said]
        if own:  # the deepest area first: the first that fits decides
            whens = [(_below(organisation_id, path), value) for path, value in own[::-1]]
            general = case(*whens, else_=general)
        condition: ColumnElement[bool] = moment <= general
        return condition

    def at(self, code: str, worker: Mapping[str, Any] | None, default: time) -> time:
        """When a worker wants what comes in the morning; the evening before a campaign stays an evening."""
        said = _of(self.operator, code).get("at", default)
        said = (worker or {}).get("at", said) if default <= LATEST else said
        return said if isinstance(said, time) else read_hour(said)

    def is_off(self, code: str, worker: Mapping[str, Any] | None = None) -> bool:
        """Has the operator or the worker turned it off? What is not in `CAN_BE_OFF` is never off."""
        if code not in CAN_BE_OFF:
            return False
        return read_switch(_of(self.operator, code).get("off", False)) or code in (worker or {}).get("off", ())

    @property
    def quiet(self) -> QuietHours:
        return read_quiet(self.operator["quiet"]) if "quiet" in self.operator else QuietHours()

    def listed_days(self, name: str) -> frozenset[date]:
        """Days off or worked that the operator adds to the published calendar: `days_off`, `days_worked`."""
        return read_days(self.operator.get(name, ()))


def preferences(session: Session, settings: Mapping[str, Any]) -> Preferences:
    """Everything set so far, read once in a session. `settings` are the county's of the protocols with the operator's of
    the reminders under KEY."""
    if KEY not in session.info:
        query = select(Organisation.path, Organisation.settings).where(Organisation.settings != {})
        areas = [(path, said.get(KEY, {})) for path, said in session.execute(query)]
        session.info[KEY] = _shared(json.dumps([settings.get(KEY, {}), sorted(areas), settings], default=str))
    found: Preferences = session.info[KEY]
    return found


@lru_cache(maxsize=4)
def _shared(said: str) -> Preferences:
    operator, areas, rules = json.loads(said)
    return Preferences(operator, [(path, own) for path, own in areas], rules)


def forget(session: Session) -> None:
    """Something was set: read it again."""
    session.info.pop(KEY, None)


def set_own(session: Session, worker: HealthWorker, **said: Any) -> None:
    """Remember what a worker set for themselves: `at` an hour as 'HH:MM', `off` codes of `CAN_BE_OFF`; None forgets it."""
    worker.settings = _with(worker.settings, said)
    forget(session)


def set_for(session: Session, area: Organisation, **said: Any) -> None:
    """Remember thresholds for everybody in an area; None goes back to what stands above it."""
    area.settings = _with(area.settings, said)
    forget(session)


def _with(settings: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in {**settings.get(KEY, {}), **said}.items() if value not in (None, [])}
    rest = {name: value for name, value in settings.items() if name != KEY}
    return {**rest, KEY: own} if own else rest


def own_settings(session: Session) -> dict[int, Mapping[str, Any]]:
    """Worker id -> what they set for themselves, of those who did."""
    query = select(HealthWorker.id, HealthWorker.settings).where(HealthWorker.settings != {})
    return {worker: settings[KEY] for worker, settings in session.execute(query) if settings.get(KEY)}


def complaints(operator: Mapping[str, Any], codes: Sequence[str]) -> list[str]:
    """What is wrong with the operator's settings, each with what to write instead. `codes` are the timetable's entries."""
    found: list[str] = []
    for name, value in operator.items():
        variable = f"CUNYI_REMINDERS__{name.upper()}"
        try:
            if name in THRESHOLDS:
                THRESHOLDS[name].read(value)
            elif name == "quiet":
                read_quiet(value)
            elif name in ("days_off", "days_worked"):
                read_days(value)
            elif name in codes or name in CAN_BE_OFF:
                _read_entry(name, value)
            else:
                known = ", ".join(sorted({*THRESHOLDS, "quiet", "days_off", "days_worked", *codes, *CAN_BE_OFF}))
                raise ValueError(f"is no reminder and no threshold; there are {known}")
        except ValueError as error:
            found.append(f"{variable}: {error}")
    return found


def _read_entry(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not set(value) <= {"at", "off"}:
        raise ValueError(f'write {{"at": "07:30"}} or {{"off": true}}, not {value!r}')
    if "at" in value:
        read_hour(value["at"])
    if read_switch(value.get("off", False)) and name not in CAN_BE_OFF:
        raise ValueError("cannot be turned off")


def read_hour(said: Any) -> time:
    """'07:45' within the hours of a morning. Raises ValueError with what to write instead."""
    try:
        at = time.fromisoformat(str(said))
    except ValueError:
        raise ValueError(f"{said!r} is no hour; write it like 07:30") from None
    if not EARLIEST <= at <= LATEST:
        raise ValueError(f"{at:%H:%M} is not between {EARLIEST:%H:%M} and {LATEST:%H:%M}")
    return at


def read_switch(said: Any) -> bool:
    if str(said).lower() in ("true", "1", "yes", "on"):
        return True
    if str(said).lower() in ("false", "0", "no", "off"):
        return False
    raise ValueError(f"{said!r} is neither true nor false")


def read_quiet(said: Any) -> QuietHours:
    """'21:00-06:30'. The timetable's mornings must stay outside of it."""
    first, dash, last = str(said).partition("-")
    try:
        quiet = QuietHours(time.fromisoformat(first.strip()), time.fromisoformat(last.strip()))
    except ValueError:
        raise ValueError(f"{said!r} are no quiet hours; write them like 21:00-06:30") from None
    if not dash or quiet.begins == quiet.ends:
        raise ValueError(f"{said!r} are no quiet hours; write them like 21:00-06:30")
    if quiet.begins < time(18) or quiet.ends > EARLIEST:
        raise ValueError(f"quiet hours begin after 18:00 and end by {EARLIEST:%H:%M}, so that the morning is free")
    return quiet


def read_days(said: Any) -> frozenset[date]:
    days = said.strip("[]").replace('"', "").replace(",", " ").split() if isinstance(said, str) else said
    try:
        return frozenset(date.fromisoformat(str(day)) for day in days)
    except (TypeError, ValueError):
        raise ValueError(f'{said!r} are no days; write them like ["2027-02-11", "2027-02-12"]') from None


def _of(operator: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    entry = operator.get(code)
    return entry if isinstance(entry, Mapping) else {}


def _below(organisation_id: Any, path: str) -> ColumnElement[bool]:
    below: ColumnElement[bool] = organisation_id.in_(
        select(Organisation.id).where(Organisation.path.between(path, path + "~"))
    )
    return below
