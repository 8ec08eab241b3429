"""Mutants of the protocols that nobody can notice, and why: module, a part of the line, the change ("" is any), the reason."""

from __future__ import annotations

ARGUED: tuple[tuple[str, str, str, str], ...] = ()
