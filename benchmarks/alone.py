"""Each measurement in a process of its own, so that none inherits another's memory or warmth."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context

from benchmarks.row import Row


def measure_alone(name: str, *, quick: bool = False) -> list[Row]:
    """The rows of `benchmarks/<name>.py`, measured in a new interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, name, quick).result()


def _measure(name: str, quick: bool) -> list[Row]:
    rows: list[Row] = import_module(f"benchmarks.{name}").measure(quick=quick)
    return rows
