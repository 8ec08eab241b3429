"""Where an operator wants something written: looked at before anything is done, so that nothing is done for nothing. 输出文件"""

from __future__ import annotations

import os
from pathlib import Path

from models.trouble import Trouble


class CannotWrite(Trouble):
    """A file cannot be written where it is wanted; the message says what to do instead."""


def check_can_write(file: Path) -> None:
    """Refuse a name that is a folder, a folder that is not there, and what may not be written."""
    folder = file.absolute().parent
    if file.is_dir():
        raise CannotWrite(f"{file} 是一个文件夹,请写上文件名。")
    if not folder.is_dir():
        raise CannotWrite(f"没有文件夹 {folder},请先建好,或换一个位置。")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise CannotWrite(f"{file} 不能写,请换一个能写的位置。")


def words_of(error: OSError) -> str:
    """What the system refused, with the file, for an error that no check had foreseen."""
    if error.filename is None:
        return f"系统拒绝了:{error.strerror or error}。请看磁盘是否已满、有没有权限,再试一次。"
    return f"{error.filename} 打不开或写不了({error.strerror}),请核对文件名、权限和磁盘空间,再试一次。"
