"""The endpoints, over real HTTP."""

from __future__ import annotations

import aiohttp
import pytest

from streams.health import Health, HealthServer


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("health", "status", "state"),
    [
        (Health(), 503, "starting"),
        (Health(started=True, consuming=True, triton="available"), 200, "ready"),
        (Health(started=True, consuming=True, triton="away"), 200, "degraded"),
        (
            Health(started=True, consuming=True, triton="available", models=("x: not served",)),
            200,
            "degraded",
        ),
        (Health(started=True, consuming=True, stalled=("messages-0",)), 503, "stalled"),
        (Health(started=True), 503, "not consuming"),
        (Health(started=True, consuming=True, failed="OSError: x"), 503, "failed"),
    ],
)
async def test_readiness(health: Health, status: int, state: str) -> None:
    server = HealthServer(health, pages={}, bind="127.0.0.1", port=0)
    await server.start()
    try:
        answered, body = await get(server.port, "/readyz")
        assert answered == status
        assert f'"state": "{state}"' in body
        assert (await get(server.port, "/healthz"))[0] == 200
    finally:
        await server.stop()


async def test_rules_and_metrics_are_shown_and_nothing_can_be_changed() -> None:
    server = HealthServer(Health(), pages={"/rules": lambda: {"rules": 3}}, bind="127.0.0.1", port=0)
    await server.start()
    try:
        assert (await get(server.port, "/rules")) == (200, '{\n  "rules": 3\n}')
        status, body = await get(server.port, "/metrics")
        assert status == 200
        assert "sekisho_events_total" in body or "# HELP sekisho_events_total" in body
        async with aiohttp.ClientSession() as session:
            for method in ("post", "put", "delete"):
                async with getattr(session, method)(f"http://127.0.0.1:{server.port}/rules") as answer:
                    assert answer.status == 405
    finally:
        await server.stop()
