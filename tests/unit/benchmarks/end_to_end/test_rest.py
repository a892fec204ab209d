"""The REST services give the scores that the models give, asked over HTTP by the loop's own client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from benchmarks.end_to_end.answers import answers_of, differences
from benchmarks.end_to_end.moderation import Answer, Moderation, answer, arrive, last_five
from benchmarks.end_to_end.onnx_models import OnnxModels
from benchmarks.end_to_end.workload import message_domains, messages, write_rules
from streams.embedded.process import free_ports
from streams.rule_engine.rule import Match, Rule
from streams.screening import Case
from streams.windows import Turn

uvicorn = pytest.importorskip("uvicorn", reason="needs the extra `bench`")
pytest.importorskip("fastapi", reason="needs the extra `bench`")

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def moderation(tmp_path_factory: pytest.TempPathFactory) -> Moderation:
    directory = tmp_path_factory.mktemp("moderation") / "rules"
    rule = Rule("made.r0", "made", "harassment", "message", "low", Match(any=("発送",)), mode="active")
    write_rules(directory, [rule], message_domains(ROOT / "rules" / "domains.yaml"))
    return Moderation(directory)


@pytest.fixture
def urls(moderation: Moderation) -> Iterator[dict[object, str]]:
    """A service of each model, on threads of this process."""
    from benchmarks.end_to_end.rest_service import new_service

    ports = free_ports(len(moderation.models))
    servers, threads = [], []
    for model, port in zip(moderation.models, ports, strict=True):
        service = new_service(ROOT / "triton_repo", model)
        servers.append(uvicorn.Server(uvicorn.Config(service, port=port, log_level="error")))
        threads.append(threading.Thread(target=servers[-1].run))
        threads[-1].start()
    while not all(server.started for server in servers):
        assert all(thread.is_alive() for thread in threads)
        threads[0].join(0.05)
    yield {m: f"http://127.0.0.1:{port}/score" for m, port in zip(moderation.models, ports, strict=True)}
    for server in servers:
        server.should_exit = True
    for thread in threads:
        thread.join()


async def test_services_answer_as_the_models_do(moderation: Moderation, urls: dict[object, str]) -> None:
    from benchmarks.end_to_end.rest_loop import RestModels

    cases: list[Case] = []
    windows: dict[str, tuple[Turn, ...]] = {}
    for offset, record in enumerate(messages(40, seed=9)):
        arrived = arrive("messages", 0, offset, timestamp_us=2 * 10**15, key=record.key, value=record.value)
        window = last_five(windows.get(arrived.conversation, ()), arrived.turn)
        windows[arrived.conversation] = window
        cases.append(moderation.case(arrived, window))
    models = OnnxModels(ROOT / "triton_repo", moderation.models)
    expected = [answer(case, models.score([case.features])[0]) for case in cases]
    async with aiohttp.ClientSession() as session:
        found = await asyncio.gather(*map(RestModels(session, urls, in_flight=4).answer, cases))
    assert differences(said(expected), said(found)) == []
    assert len(said(found).verdicts) == 40


def said(answers: list[Answer]):
    return answers_of(
        [each.prediction for each in answers], [alert for each in answers for _, alert in each.alerts]
    )
