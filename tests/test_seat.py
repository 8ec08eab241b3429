"""Seats: who sends from a database just now. A dead process holds none, by whatever end it died."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from bot.seat import AT_THE_TERMINAL, SEATS, STILL_THERE, FileSeat, NoSeat, OnlySeat, ServerSeat, take_seat
from models.base import Store
from models.secrets import Keyring
from tests.databases import BACKENDS, SECRET, empty_store

HOLD_ON = """
import sys, time
from bot.seat import take_seat
from models.base import Store
from models.secrets import Keyring
seat = take_seat(Store(sys.argv[1], Keyring(sys.argv[2])))
print(seat.number, flush=True)
time.sleep(600)
"""


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with empty_store(request.param) as store:
        yield store


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def test_each_has_their_own_and_the_first_free_one_is_taken(store: Store) -> None:
    first, second = take_seat(store), take_seat(store)
    assert (first.number, second.number) == (0, 1)
    assert first.taken() == second.taken() == {0, 1}
    first.leave()
    third = take_seat(store)
    assert third.number == 0 and third.taken() == {0, 1}
    second.leave()
    third.leave()


def test_a_terminal_sits_apart(store: Store) -> None:
    terminal = take_seat(store, first=AT_THE_TERMINAL)
    program = take_seat(store)
    assert (terminal.number, program.number) == (AT_THE_TERMINAL, 0)
    assert program.taken() == terminal.taken() == {0, AT_THE_TERMINAL}
    terminal.leave()
    program.leave()


def test_a_killed_process_has_left(store: Store) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_ON, url_of(store), SECRET], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "0\n"
        with closing(Left(take_seat(store))) as mine:
            assert mine.seat.number == 1 and mine.seat.taken() == {0, 1}
            process.kill()
            process.wait()
    for _ in range(500):  # PostgreSQL's own process for it has to notice
        with closing(Left(take_seat(store))) as mine:
            if mine.seat.number == 0:
                return
    raise AssertionError("its seat stayed taken")


class Left:
    def __init__(self, seat: object) -> None:
        self.seat: FileSeat | ServerSeat = seat  # type: ignore[assignment]

    def close(self) -> None:
        self.seat.leave()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # sixty-four connections are too many for a small server
def test_a_full_house(store: Store) -> None:
    seats = [take_seat(store) for _ in range(SEATS)]
    with pytest.raises(NoSeat, match="Too many"):
        take_seat(store)
    for seat in seats:
        seat.leave()


def test_in_memory_there_is_nobody_else() -> None:
    store = Store("sqlite://", Keyring(SECRET))
    seat = take_seat(store)
    assert isinstance(seat, OnlySeat) and seat.taken() == {0}
    seat.leave()
    store.close()


def test_postgresql_restarts() -> None:
    """All connections are cut. Nobody is taken for dead before they had the time to sit down again."""
    with empty_store("postgresql") as store:
        moment = 0.0
        first, second = ServerSeat(store, clock=lambda: moment), ServerSeat(store, clock=lambda: moment)
        assert first.taken() == {0, 1}
        with store.read() as session:
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        assert {0, 1} <= first.taken() and first.number == 0
        moment += STILL_THERE / 2
        assert {0, 1} <= second.taken() and second.number == 1
        moment += STILL_THERE
        assert first.taken() == second.taken() == {0, 1}
        second.leave()
        for _ in range(500):  # the server's own process for it has to notice
            moment += STILL_THERE
            if first.taken() == {0}:
                break
        else:
            raise AssertionError("its seat stayed taken")
        first.leave()
