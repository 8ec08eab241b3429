"""Logs carry ids, never people (promise 9)."""

from __future__ import annotations

import json

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.logs import set_up_logs
from tests.databases import BACKENDS, fresh_store

pytestmark = pytest.mark.usefixtures("logs_of_the_program")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_is_told_by_its_kind_and_place(capsys: pytest.CaptureFixture[str], backend: str) -> None:
    """A driver quotes the row that it refused."""
    set_up_logs("info")
    log = structlog.get_logger()
    with fresh_store(backend) as store, store.write() as session:
        try:
            insert = "INSERT INTO organisations (id, code, name, level, path) VALUES (1, '1', :name, NULL, '/')"
            session.execute(text(insert), {"name": "覃凤英"})
        except DBAPIError as error:
            assert "覃凤英" not in str(error).split("DETAIL")[0]
            log.exception("message_failed", event_id="u17")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["event_id"], line["error"]) == ("message_failed", "u17", "IntegrityError")
    assert line["at"][0].startswith("test_logs.py:") and "覃凤英" not in str(line)


def test_what_could_be_a_person_is_blanked(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info")
    structlog.get_logger().info("found", name="覃凤英", phone="13800000000", worker=7)
    line = json.loads(capsys.readouterr().err)
    assert (line["name"], line["phone"], line["worker"]) == ("***", "***", 7)
