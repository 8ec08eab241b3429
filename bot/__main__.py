"""Commands of the operator: `cunyi …`, the same as `python -m bot …`.

Exit codes: 0 done, 2 wrong use, 1 failure with one clear sentence on stderr.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bot.config import BadSettings, Settings, load_settings, open_store
from models.base import Store
from models.trouble import Trouble

cli = typer.Typer(
    help="村医助手: a chat bot for village doctors and their supervisors.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
importing = typer.Typer(
    help="Import organisations, workers, residents, campaigns or plans from xlsx or csv.", no_args_is_help=True
)
cli.add_typer(importing, name="import")


Kind = Literal["organisations", "workers", "residents", "campaigns", "plans"]


def settings_or_exit(**overrides: Any) -> Settings:
    """The settings, or every complaint on stderr and exit code 1."""
    try:
        return load_settings(**overrides)
    except BadSettings as error:
        for complaint in error.complaints:
            print(complaint, file=sys.stderr)
        raise typer.Exit(1) from None


@contextmanager
def opened(settings: Settings, *, must_be_current: bool = True) -> Iterator[Store]:
    """The database, at this program's version."""
    from models import migrate
    from models.sealed import check_key

    store = open_store(settings)
    try:
        if must_be_current and (version := migrate.current(store)) != migrate.head():
            found = f"is at version {version}" if version else "has no tables yet"
            raise Trouble(f"the database {found}; run: cunyi migrate")
        if must_be_current:
            check_key(store)
        yield store
    finally:
        store.close()


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


def _import(kind: Kind, file: Path, dry_run: bool) -> None:
    from bot.clock import system_clock
    from bot.files import import_file, rejected_file
    from models.preferences import preferences

    settings = settings_or_exit()
    with opened(settings) as store:
        now = system_clock()
        with store.read() as session:
            tell_at = preferences(session, settings.county).quiet.after(now, settings.tz)
        done = import_file(
            store,
            kind,
            file,
            today=now.astimezone(settings.tz).date(),
            now=now,
            dry_run=dry_run,
            tell_at=tell_at,
            settings=settings.county,
        )
    would = "would be " if dry_run else ""
    print(f"{would}added {done.added}, changed {done.changed}, unchanged {done.unchanged}, refused {len(done.refused)}")
    for remark in done.remarks:
        print(remark)
    if done.refused:
        print(f"refused rows with their reasons: {rejected_file(file)}")


_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An .xlsx or .csv file with a header row.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")]


@importing.command("organisations")
def import_organisations(file: _File, dry_run: _DryRun = False) -> None:
    """编码, 名称, 上级编码, 级别 (县, 乡镇, 村, 组); optional 常住人口."""
    _import("organisations", file, dry_run)


@importing.command("workers")
def import_workers(file: _File, dry_run: _DryRun = False) -> None:
    """工号, 姓名, 角色 (村医, 公卫科, 卫健局, 管理员), 机构编码, 负责村, 电话, 企业微信账号, 协议到期, 培训截止."""
    _import("workers", file, dry_run)


@importing.command("residents")
def import_residents(file: _File, dry_run: _DryRun = False) -> None:
    """姓名, 性别, 出生日期, 身份证号, 电话, 村编码, 户主, 责任医生, 人群, 管理项目, 建档日期."""
    _import("residents", file, dry_run)


@importing.command("campaigns")
def import_campaigns(file: _File, dry_run: _DryRun = False) -> None:
    """活动编码, 类别, 日期, 举办机构编码; optional 地点, 时间, 范围, 性别, 年龄, 人群, 目标人数, 说明, 状态 (待启动, 启动, 停止)."""
    _import("campaigns", file, dry_run)


@importing.command("plans")
def import_plans(file: _File, dry_run: _DryRun = False) -> None:
    """计划编码, 计划名称, 牵头机构编码, 阶段, 完成期限 (one row a milestone); optional 类别, 开始日期, 责任机构, 目标, 总目标, 说明."""
    _import("plans", file, dry_run)


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
    except (Trouble, FileExistsError, FileNotFoundError, PermissionError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except DBAPIError as error:
        print(f"the database refused: {str(error.orig).splitlines()[0]}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
