"""An event loop whose time passes at once when nobody has anything to do: hours of a story in milliseconds."""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections.abc import Coroutine
from typing import Any

AT_ONE_MOMENT = 1_000_000  # rounds of the loop; whoever needs more of them is spinning


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleepers wake up to `lateness` seconds late, as they do on a busy machine."""

    def __init__(self, lateness: float = 0.0) -> None:
        self.now = 0.0
        loop, late = self, random.Random(7)

        class Jumping(selectors.DefaultSelector):
            standing = 0

            def select(self, timeout: float | None = None) -> list[Any]:
                ready = super().select(0)
                self.standing += 1
                if not ready and timeout != 0:
                    assert timeout is not None, "everybody waits for somebody else"
                    loop.now += timeout + late.uniform(0, lateness)
                    # after months the smallest step of a clock is larger than what it is expected to be wrong by
                    loop._clock_resolution = max(1e-9, math.ulp(loop.now))
                    self.standing = 0
                assert self.standing < AT_ONE_MOMENT, "somebody spins, and time stands still"
                return ready

        super().__init__(Jumping())

    def time(self) -> float:
        return self.now


def play(story: Coroutine[Any, Any, Any], lateness: float = 0.0) -> Any:
    """The result of a story told in a loop of its own, from second 0 on."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(lateness)) as runner:
        return runner.run(story)
