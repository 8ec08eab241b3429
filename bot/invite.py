"""`cunyi invite`: a one-time code, a Telegram deep link and a QR picture."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from bot.chat import NoSuchWorker
from bot.clock import system_clock
from bot.config import Settings
from bot.outputs import CannotWrite, check_can_write
from models.base import Store
from models.invitations import invite
from models.people import HealthWorker

PICTURES = (".png", ".svg")


def make_invitation(settings: Settings, store: Store, worker_code: str, qr: Path | None) -> str:
    """The words to pass on to the worker. With `qr`, a picture of the link (or of the code) is written too."""
    if qr is not None:
        _check_picture(qr)
    with store.write() as session:
        worker = session.scalar(select(HealthWorker).where(HealthWorker.code == worker_code))
        if worker is None:
            raise NoSuchWorker(f"没有工号 {worker_code};先用 cunyi import workers 导入。")
        code = invite(session, worker, system_clock())
        name = worker.name
        session.commit()
    link = f"https://t.me/{settings.telegram.bot_name}?start={code}" if settings.telegram.bot_name else ""
    lines = [f"{name} 的邀请码:{code}(14天内有效,只能用一次)"]
    lines.append(
        f"Telegram:打开 {link}"
        if link
        else "Telegram:设置 CUNYI_TELEGRAM__BOT_NAME 后这里会有一键绑定的链接;或把邀请码发给机器人"
    )
    lines.append("企业微信:打开应用,把邀请码发给村医助手")
    if qr is not None:
        import segno

        segno.make(link or code, error="m").save(str(qr), scale=8, border=3)
        lines.append(f"二维码已存到 {qr}")
    return "\n".join(lines)


def _check_picture(qr: Path) -> None:
    """Before a code is made: another would make the worker's last one void."""
    if qr.suffix.lower() not in PICTURES:
        raise CannotWrite(f"{qr} 不是图片文件名,请写成 .png 或 .svg。")
    check_can_write(qr)
