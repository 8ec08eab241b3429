"""Commands of the operator: `cunyi …`, the same as `python -m bot …`.

Exit codes: 0 done, 2 wrong use, 1 failure with one clear sentence on stderr.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot import importing
from bot.opening import opened, settings_or_exit
from bot.outputs import check_can_write, words_of
from models.trouble import Trouble

cli = typer.Typer(
    help="村医助手: a chat bot for village doctors and their supervisors.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(importing.commands, name="import")


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the simulator; 0 takes any free one.")] = 8000,
    data: Annotated[Path | None, typer.Option(help="Where the demo's database is kept.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """A synthetic county with a browser simulator of both channels; needs no token."""
    from bot.demo import run_demo

    raise typer.Exit(run_demo(port=port, data=data, browser=not no_browser))


@cli.command()
def run() -> None:
    """The channels that are configured, the timetable, the senders and the web server."""
    settings = settings_or_exit()
    gc.disable()  # until it is ready: what is imported stays
    from bot.serve import serve

    raise typer.Exit(asyncio.run(serve(settings)))


@cli.command()
def migrate() -> None:
    """Bring the database to this version."""
    from models import migrate as migrations

    with opened(settings_or_exit(), must_be_current=False) as store:
        before, now = migrations.upgrade(store)
    print(f"already at version {now}" if before == now else f"migrated from {before or 'nothing'} to version {now}")


@cli.command()
def check() -> None:
    """Say what is configured, reachable and missing."""
    from bot.checks import report

    settings = settings_or_exit()
    lines, ok = asyncio.run(report(settings))
    print("\n".join(lines))
    raise typer.Exit(0 if ok else 1)


@cli.command()
def seed(
    residents: Annotated[int, typer.Option(min=1, help="How many residents.")] = 2000,
    doctors: Annotated[int, typer.Option(min=1, help="How many village doctors.")] = 12,
    seed: Annotated[int, typer.Option("--seed", help="The same number gives the same county.")] = 1,
) -> None:
    """Fill an empty database with a synthetic county of any size."""
    from bot.clock import system_clock
    from models.seed import seed as fill

    settings = settings_or_exit()
    with opened(settings) as store, store.write() as session:
        now = system_clock()
        fill(session, now.astimezone(settings.tz).date(), now, residents=residents, doctors=doctors, seed=seed)
        session.commit()
    print(f"seeded {residents} residents and {doctors} doctors; try: cunyi chat --as V001")


@cli.command()
def invite(
    worker_code: Annotated[str, typer.Argument(help="The worker's 工号.")],
    qr: Annotated[Path | None, typer.Option(help="Write a QR picture of the link (png or svg).")] = None,
) -> None:
    """A one-time code, a Telegram deep link and a QR picture."""
    from bot.invite import make_invitation

    settings = settings_or_exit()
    with opened(settings) as store:
        print(make_invitation(settings, store, worker_code, qr))


@cli.command()
def chat(
    as_worker: Annotated[str, typer.Option("--as", help="The worker's 工号.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line in and out.")] = False,
    at: Annotated[str | None, typer.Option(help="Set the clock, e.g. 2026-11-22T09:00.")] = None,
) -> None:
    """Chat in the terminal."""
    from bot.chat import chat as run_chat
    from bot.chat import read_instant
    from bot.logs import set_up_logs

    settings = settings_or_exit()
    set_up_logs("error")  # the terminal belongs to the conversation
    with opened(settings) as store:
        try:
            instant = read_instant(at, settings) if at else None
        except ValueError:
            raise typer.BadParameter(
                f"{at!r} is no instant; write it like 2026-11-22T09:00", param_hint="--at"
            ) from None
        raise typer.Exit(asyncio.run(run_chat(settings, store, as_worker, at=instant, as_json=as_json)))


@cli.command()
def remind(
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today when left out.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many messages would be planned.")] = False,
) -> None:
    """Plan everything the timetable says for a day; running it again adds nothing."""
    from bot.clock import system_clock
    from reminders.timetable import REMINDERS, plan_day

    settings = settings_or_exit()
    with opened(settings) as store, store.write() as session:
        now = system_clock()
        day = on.date() if on else now.astimezone(settings.tz).date()
        planned = plan_day(
            session,
            day,
            tz=settings.tz,
            now=now,
            dry_run=dry_run,
            settings=settings.county,
        )
        session.commit()
    for code, count in planned.items():
        print(f"{day} {REMINDERS[code].title} {code}: {count} {'would be new' if dry_run else 'new'}")
    if not planned:
        print(f"{day}: nothing on the timetable")


@cli.command()
def timetable() -> None:
    """Everything that is said unasked: to whom, when, what it opens, what ends it."""
    from reminders.page import page

    print(page(), end="")


class SummaryFormat(StrEnum):
    """How figures are written."""

    text = "text"
    json = "json"


@cli.command()
def summary(
    org: Annotated[str | None, typer.Option(help="Organisation code; the county when left out.")] = None,
    period: Annotated[
        str | None, typer.Option(help="2026-10, 2026Q3, 2026 or FROM..TO; this month when left out.")
    ] = None,
    format: Annotated[SummaryFormat, typer.Option("--format", help="How to write it.")] = SummaryFormat.text,
    output: Annotated[Path | None, typer.Option("-o", help="Write to a file.")] = None,
) -> None:
    """Figures for an organisation and everything below it."""
    from bot.figures import write_summary

    settings = settings_or_exit()
    if output is not None:
        check_can_write(output)
    with opened(settings) as store:
        text = write_summary(settings, store, org, period, str(format))
    if output is None:
        print(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


class Exported(StrEnum):
    """What can be exported."""

    records = "records"
    residents = "residents"
    deliveries = "deliveries"
    audit = "audit"


class ExportFormat(StrEnum):
    """How rows are written."""

    jsonl = "jsonl"
    csv = "csv"
    xlsx = "xlsx"


@cli.command()
def export(
    what: Annotated[Exported, typer.Argument(help="Which rows.")],
    format: Annotated[ExportFormat, typer.Option("--format", help="How to write them.")] = ExportFormat.jsonl,
    output: Annotated[Path | None, typer.Option("-o", help="Write to a file.")] = None,
) -> None:
    """Everything, row by row."""
    from bot.exports import export as write_rows
    from handlers.menu import labels

    settings = settings_or_exit()
    if output is not None:
        check_can_write(output)
    with opened(settings) as store:
        write_rows(store, str(what), str(format), output, labels=labels, tz=settings.tz)


@cli.command()
def deliveries(
    failed: Annotated[bool, typer.Option("--failed", help="Only what could not be delivered.")] = False,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on.")] = None,
) -> None:
    """Messages that are not delivered: on their way, waiting for another try, or failed, with the reason."""
    from bot.undelivered import listed

    settings = settings_or_exit()
    with opened(settings) as store:
        for line in listed(store, settings.tz, failed=failed, since=since.date() if since else None):
            print(line)


@cli.command()
def retry(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys as `cunyi deliveries --failed` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that failed.")] = False,
) -> None:
    """Try failed messages again; what has lost its reason meanwhile is not sent."""
    from bot.clock import system_clock
    from bot.undelivered import try_again

    if bool(keys) == every:
        raise typer.BadParameter("give keys, or --all", param_hint="KEYS")
    settings = settings_or_exit()
    with opened(settings) as store:
        queued, unknown = try_again(store, keys or None, system_clock())
    print(f"queued again: {queued}")
    if unknown:
        raise Trouble(f"not failed or not known: {', '.join(unknown)}")


@cli.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """A consistent copy, while the bot runs."""
    from bot.backup import backup as save

    check_can_write(file)
    with opened(settings_or_exit()) as store:
        save(store, file)
    print(f"saved to {file}")


@cli.command()
def restore(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file made by backup.")]) -> None:
    """Fill an empty database from a backup; refuses to overwrite."""
    from bot.backup import restore as load

    with opened(settings_or_exit(), must_be_current=False) as store:
        load(store, file)
    print(f"restored from {file}")


@cli.command()
def recount(fix: Annotated[bool, typer.Option("--fix", help="Write the recomputed counters.")] = False) -> None:
    """Recompute the counters from the records and report differences."""
    from models.recount import recount as compare

    with opened(settings_or_exit()) as store, store.write() as session:
        found = compare(session, fix=fix)
        session.commit()
    for difference in found:
        print(difference)
    print(
        f"{found.compared} counters compared, {len(found)} differences" + (", corrected" if fix and len(found) else "")
    )
    raise typer.Exit(1 if len(found) and not fix else 0)


def main() -> None:
    """Run a command; an operator's trouble is one sentence, never a traceback."""
    from sqlalchemy.exc import DBAPIError

    try:
        cli()
    except (Trouble, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # whoever reads has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed at the end
        sys.exit(1)
    except OSError as error:
        print(words_of(error), file=sys.stderr)
        sys.exit(1)
    except DBAPIError as error:
        refused = f"the database refused: {str(error.orig).splitlines()[0]}"
        print(f"{refused}; is CUNYI_DATABASE_URL right, and may its file and folder be written?", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
