"""The web server's own pages: health, metrics, and a front page that shows no data."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.app import App
from models import migrate
from models.outbox import OutboxMessage
from models.record import Record

FRONT = """<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>村医助手</title><style>body{font:18px/1.7 system-ui;max-width:32em;margin:4em auto;padding:0 1em}</style>
<h1>村医助手 Cunyi</h1><p>正在运行。村医和公卫科人员请在企业微信或 Telegram 里使用;这个页面不显示任何数据。</p>"""


def routes_of(app: App) -> list[BaseRoute]:
    """Health, metrics and the channels' webhooks."""

    async def healthz(request: Request) -> Response:
        return JSONResponse(*await asyncio.to_thread(_health, app))

    async def metrics(request: Request) -> Response:
        return Response(await asyncio.to_thread(_metrics, app), media_type="text/plain; version=0.0.4")

    async def front(request: Request) -> Response:
        return HTMLResponse(FRONT)

    own: list[BaseRoute] = [Route("/healthz", healthz), Route("/metrics", metrics), Route("/", front)]
    return [*own, *(route for channel in app.channels.values() for route in channel.routes())]


def _health(app: App) -> tuple[dict[str, object], int]:
    """200 when the database answers at this program's version; the channels that run are named."""
    try:
        version = migrate.current(app.store)
    except Exception as error:
        return {"status": "database unreachable", "error": type(error).__name__}, 503
    good = version == migrate.head()
    return {
        "status": "ok" if good else "database needs: cunyi migrate",
        "channels": sorted(app.channels),
        "version": version,
    }, 200 if good else 503


def _metrics(app: App) -> bytes:
    """Outbox rows by status and records by service; numbers only."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    outbox = Gauge("cunyi_outbox_messages", "Messages in the outbox by status.", ["status"], registry=registry)
    records = Gauge("cunyi_records", "Current records by service.", ["service"], registry=registry)
    with app.store.read() as session:
        for status, count in session.execute(select(OutboxMessage.status, func.count()).group_by(OutboxMessage.status)):
            outbox.labels(status).set(count)
        by_service = select(Record.service, func.count()).where(Record.status == "current").group_by(Record.service)
        for service, count in session.execute(by_service):
            records.labels(service).set(count)
    return generate_latest(registry)
