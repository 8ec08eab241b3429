"""What an operator can put right."""

from __future__ import annotations


class Trouble(Exception):
    """A command cannot do its work. The message is the one sentence for the operator, with what to do next.

    Without a message, the class's own description is it.
    """

    def __str__(self) -> str:
        return super().__str__() or self.__doc__ or ""
