"""`cunyi import …`: one command for each kind of table, each with the columns it takes. 导入"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.opening import opened, settings_or_exit

if TYPE_CHECKING:
    from bot.files import Kind

commands = typer.Typer(
    help="Import organisations, workers, residents, campaigns or plans from xlsx or csv.", no_args_is_help=True
)


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


@commands.command("organisations")
def import_organisations(file: _File, dry_run: _DryRun = False) -> None:
    """编码, 名称, 上级编码, 级别 (县, 乡镇, 村, 组); optional 常住人口."""
    _import("organisations", file, dry_run)


@commands.command("workers")
def import_workers(file: _File, dry_run: _DryRun = False) -> None:
    """工号, 姓名, 角色 (村医, 公卫科, 卫健局, 管理员), 机构编码, 负责村, 电话, 企业微信账号, 协议到期, 培训截止."""
    _import("workers", file, dry_run)


@commands.command("residents")
def import_residents(file: _File, dry_run: _DryRun = False) -> None:
    """姓名, 性别, 出生日期, 身份证号, 电话, 村编码, 户主, 责任医生, 人群, 管理项目, 建档日期."""
    _import("residents", file, dry_run)


@commands.command("campaigns")
def import_campaigns(file: _File, dry_run: _DryRun = False) -> None:
    """活动编码, 类别, 日期, 举办机构编码; optional 地点, 时间, 范围, 性别, 年龄, 人群, 目标人数, 说明, 状态 (待启动, 启动, 停止)."""
    _import("campaigns", file, dry_run)


@commands.command("plans")
def import_plans(file: _File, dry_run: _DryRun = False) -> None:
    """计划编码, 计划名称, 牵头机构编码, 阶段, 完成期限 (one row a milestone); optional 类别, 开始日期, 责任机构, 目标, 总目标, 说明."""
    _import("plans", file, dry_run)
