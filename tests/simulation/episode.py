"""A stretch of time in a process of its own, so that it can be killed like one."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import traceback
from collections import deque
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import structlog

from bot.pacing import BUDGETS, Budget
from tests.processes import Seats
from tests.simulation.clock import DAY, Log, events
from tests.simulation.county import Config, Troubles, doctor, open_county, time_of
from tests.simulation.history import show_time
from tests.simulation.kills import MOMENTS, Fate
from tests.simulation.platform import CHARACTERS, Platform
from tests.simulation.process import HOURS, Process
from tests.simulation.world import World
from tests.virtual_time import VirtualLoop

SOME_HOURS = [time(0, 5), time(7, 30), time(8, 25), time(12, 0), time(17, 20)]
"""Planning takes a second in a whole county, so here it is done less often than `cunyi run` does."""
LOOK_BACK = 3700.0  # seconds of arrivals that a platform remembers
PUSHES = 1.6  # a day and doctor that WeCom allows here; the real 200 would never be reached


def simulate(config: Config, found: Troubles, folder: Path) -> int:
    """Live through all days. Returns how often a process was killed for good."""
    base, killed, kills = 0.0, 0, list(found.kills)
    while base < config.days * DAY:
        kills = [at for at in kills if at > base]
        pid = os.fork()
        if pid == 0:
            _child(config, found, folder, base, kills[0] if kills else None)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status):
                raise RuntimeError(f"a stretch from {base:.0f} s on ended with an error, see above")
            break
        killed += 1
        last = _last(folder)
        Log(folder, time_of(config, last, found)).write("killed")
        rng = config.rng("restart", killed)
        base = last + rng.choice((2.5, 4, 10, 60, 600)) if rng.random() < 0.95 else last + rng.uniform(1, 7) * 3600
    return killed


def _last(folder: Path) -> float:
    """The last moment that anything was heard of."""
    path = max(folder.glob("events-*.jsonl"))
    return float(deque(events(folder, int(path.stem.split("-")[1])), 1)[0]["t"])


def _child(config: Config, found: Troubles, folder: Path, base: float, kill_at: float | None) -> None:
    code = 1
    try:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(_stretch(config, found, folder, base, kill_at))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


async def _stretch(config: Config, found: Troubles, folder: Path, base: float, kill_at: float | None) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    at = time_of(config, base, found)
    log = Log(folder, at)
    store = open_county(config, folder)
    show_time(store.engine, lambda: at.now)
    fate = Fate(at, kill_at, *_how(config, kill_at))
    fate.watch(store.engine)
    before = list(events(folder, int(max(0.0, base - LOOK_BACK) // DAY)))
    channels = {name: _platform(config, found, name, at, log, fate) for name in CHARACTERS}
    for platform in channels.values():
        platform.remember(one for one in before if one["what"] == "arrived" and one["t"] > base - LOOK_BACK)
    seats, allowed = Seats(), budgets(config)

    def start(skew: float) -> Process:
        hours = HOURS if config.hours == "all" else SOME_HOURS
        return Process(store, channels, seats, at, budgets=allowed, settings={}, skew=skew, hours=hours, log=log)

    world = World(config, found, store, folder, at, log, start)
    await world.run({one["id"] for one in before if one["what"] == "done"})


def _how(config: Config, kill_at: float | None) -> tuple[str, int]:
    rng = config.rng("how", kill_at)
    moment = rng.choices(MOMENTS, (4, 3, 2, 2, 4))[0]
    return moment, rng.randint(1, 40 if moment == "statement" else 6)


def _platform(config: Config, found: Troubles, name: str, at: Any, log: Log, fate: Fate) -> Platform:
    blocked: dict[str, list[tuple[float, float]]] = {}
    for worker_id in range(1, config.doctors + 60):
        blocked |= doctor(config, worker_id).blocked
    seed = f"{config.seed}:{name}:{at.base}"
    return Platform(name, at, log, fate, seed=seed, outages=found.outages[name], blocked=blocked)


def budgets(config: Config) -> dict[str, Budget]:
    """The real ones, and a day's total that is reached now and then."""
    return {**BUDGETS, "wecom": replace(BUDGETS["wecom"], a_day=a_day(config))}


def a_day(config: Config) -> int:
    return max(round(PUSHES * config.doctors), 40)
