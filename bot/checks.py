"""`cunyi check`: what is configured, reachable and missing, in one look."""

from __future__ import annotations

from typing import Any

import httpx

from bot.app import CHANNELS
from bot.config import Settings, open_store
from models import migrate
from models.sealed import check_key
from models.trouble import Trouble


async def report(settings: Settings) -> tuple[list[str], bool]:
    """Lines for the operator, and whether everything that is configured works."""
    lines, ok = _database(settings)
    reachable = {"telegram": _telegram, "wecom": _wecom}
    configured = 0
    for name in CHANNELS:
        line, good = await reachable[name](settings)
        lines.append(line)
        configured += "not configured" not in line
        ok = ok and good
    if not configured:
        lines.append(
            "missing      no channel: set CUNYI_TELEGRAM__TOKEN or the five CUNYI_WECOM__ settings (or try: cunyi demo)"
        )
        ok = False
    return lines, ok


def _database(settings: Settings) -> tuple[list[str], bool]:
    try:
        store = open_store(settings)
        version = migrate.known(store)
        if version == migrate.head():
            check_key(store)
        store.close()
    except Trouble as error:
        return [f"wrong        {error}"], False
    except Exception as error:
        return [
            f"missing      database: {type(error).__name__}; is CUNYI_DATABASE_URL right and the server running?"
        ], False
    if version != migrate.head():
        return [
            f"missing      database at version {version or 'none'}, needs {migrate.head()}: run cunyi migrate"
        ], False
    return [f"ok           database at version {version}"], True


async def _telegram(settings: Settings) -> tuple[str, bool]:
    if settings.telegram.token is None:
        return "off          telegram: not configured", True
    url = f"{settings.telegram.base_url.rstrip('/')}/bot{settings.telegram.token.get_secret_value()}/getMe"
    answer = await _get(url)
    if answer is None:
        return f"unreachable  telegram: {settings.telegram.base_url} does not answer", False
    if not answer.get("ok"):
        return "wrong        telegram: the token is not accepted; look it up at @BotFather", False
    return f"ok           telegram: @{answer['result'].get('username', '')} by {settings.telegram.mode}", True


async def _wecom(settings: Settings) -> tuple[str, bool]:
    wecom = settings.wecom
    if not wecom.is_on or wecom.secret is None:
        return "off          wecom: not configured", True
    query = f"corpid={wecom.corp_id}&corpsecret={wecom.secret.get_secret_value()}"
    answer = await _get(f"{wecom.base_url.rstrip('/')}/cgi-bin/gettoken?{query}")
    if answer is None:
        return f"unreachable  wecom: {wecom.base_url} does not answer", False
    if answer.get("errcode") not in (0, None):
        return f"wrong        wecom: errcode {answer.get('errcode')}; check CORP_ID, SECRET and the trusted IP", False
    return "ok           wecom: token granted", True


async def _get(url: str) -> dict[str, Any] | None:
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = (await client.get(url)).json()
    except (httpx.HTTPError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
