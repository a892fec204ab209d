"""What the worker says of itself: /healthz, /readyz, /metrics and pages such as /rules over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics

#: Gives the JSON that a page shows, as it is at the moment.
Page = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Health:
    """The state that the endpoints show; the worker writes it, nothing else does."""

    started: bool = False
    consuming: bool = False
    stalled: tuple[str, ...] = ()
    triton: str = "unknown"
    models: tuple[str, ...] = ()
    failed: str | None = None
    lag: dict[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Events are being screened. Models may be away: rules go on, so that does not take the worker out."""
        return self.started and self.consuming and not self.stalled and self.failed is None

    def _state(self) -> str:
        if self.failed is not None:
            return "failed"
        if self.stalled:
            return "stalled"
        if not self.ready:
            return "starting" if not self.started else "not consuming"
        return "ready" if self.triton == "available" and not self.models else "degraded"

    def report(self) -> dict[str, Any]:
        """What /readyz answers."""
        return {
            "ready": self.ready,
            "state": self._state(),
            "consuming": self.consuming,
            "triton": self.triton,
            "models": list(self.models),
            "stalled": list(self.stalled),
            "failed": self.failed,
            "lag": self.lag,
        }


class HealthServer:
    """A small read-only web server."""

    def __init__(self, health: Health, *, pages: Mapping[str, Page], bind: str, port: int) -> None:
        """`pages`: path, e.g. `/rules`, to what it shows."""
        self._health = health
        self._pages = pages
        self._bind = bind
        self._port = port
        self._runner: web.AppRunner | None = None
        #: The port really bound; differs from the one asked for when that was 0.
        self.port = port

    def application(self) -> web.Application:
        """All that is answered; each only to GET and HEAD, and none shows a secret or an event."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
                *(web.get(path, _shown(page)) for path, page in self._pages.items()),
            ]
        )
        return app

    async def start(self) -> None:
        """Bind and answer. Raises `OSError` when the address is taken."""
        self._runner = web.AppRunner(self.application(), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._bind, self._port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop answering."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        """Alive: the event loop turns. Says nothing about Kafka or Triton."""
        return _json({"alive": True}, 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        report = self._health.report()
        metrics.READY.set(1.0 if report["ready"] else 0.0)
        return _json(report, 200 if report["ready"] else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _shown(page: Page) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def show(_: web.Request) -> web.Response:
        return _json(page(), 200)

    return show


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2), status=status, content_type="application/json"
    )
