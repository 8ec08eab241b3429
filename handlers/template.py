"""Longer texts, in files under `templates/`. Jinja2 is imported when the first of them is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=16)
def template(name: str, **filters: Callable[[Any], str]) -> Template:
    """A text by its file's name, with the filters it uses."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text for chats, never HTML
    )
    environment.filters.update(filters)
    return environment.get_template(name)
