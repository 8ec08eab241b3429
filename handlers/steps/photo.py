"""A photo, kept as the platform's own reference; nothing is downloaded until somebody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps.base import Answer, Known, NotUnderstood, Step
from models.message import File

NAMES = {"photo": "照片", "document": "文件"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo(Step):
    """A photo or a document sent into the chat. Stores `channel:reference`."""

    def read(self, text: str, known: Known) -> Answer:
        raise NotUnderstood(f"请直接发{self.title},没有就跳过。")

    def take(self, file: File, channel: str) -> Answer:
        """Keep the reference. Raises NotUnderstood for a voice, a sticker or a place."""
        if file.kind not in NAMES:
            raise NotUnderstood(f"这里要的是{self.title},没有就跳过。")
        return Answer({self.field: f"{channel}:{file.path}"})

    def show(self, answers: Mapping[str, Any]) -> str:
        return "1张"
