"""Kinds of question. A step asks, reads an answer, recognises itself inside a longer line, and says what it expected."""

from __future__ import annotations

from handlers.steps.base import Answer, Found, Known, NotUnderstood, Step, Values, always, any_of, digits
from handlers.steps.day import Day
from handlers.steps.number import Number
from handlers.steps.select import Option, Select, SelectOne, options
from handlers.steps.select_many import SelectMany
from handlers.steps.text import Text

__all__ = [
    "Answer",
    "Day",
    "Found",
    "Known",
    "NotUnderstood",
    "Number",
    "Option",
    "Select",
    "SelectMany",
    "SelectOne",
    "Step",
    "Text",
    "Values",
    "always",
    "any_of",
    "digits",
    "options",
]
