"""What a message costs on Triton when D domains score it: a model each, or heads on one trunk, in three arrangements.

    python -m benchmarks.models.trunk_cost [--domains 1 --domains 10] [--repository triton_repo]

- own models: one request a domain, as `streams.inference.scorer.Scorer` sends them;
- assembly: trunk and heads in one graph, one request (`sekisho models share`), sent by the same Scorer;
- ensemble: trunk and heads as models of their own, joined by Triton's ensemble scheduler, one request;
- two trips: the client asks for the trunk's vector, then every head's model for its score.

All on the embedded Triton of this machine, one instance a model, the same windows of generated text. Own models are
copies of a shipped one; trunk and heads have the default shapes and the shipped model's words, with drawn weights: what a
network costs does not depend on them. Processor time is of client, server and the server's children together, the
arrangements taking turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import onnx
import torch

from benchmarks.end_to_end.cpu import CpuSampler
from benchmarks.models.record import RESULTS, Spread, Stopwatch, record, save
from benchmarks.models.trunk_page import PAGE, write_page
from benchmarks.rules.machine import machine
from models.data.datasets import message_set
from models.export.assembly import assemblies_of, vocabulary_of
from models.export.graph import session
from models.export.speed import us_per_row
from models.export.trunk import VECTOR, assembled, head_of, head_onnx, joined, trunk_onnx, width_of
from models.networks.conversation import ConversationShape
from models.networks.trunk import HeadShape, MessageHead, MessageTrunk
from models.shipped.corpus import message_part
from streams.embedded.triton import EmbeddedTriton
from streams.features.tensors import WindowFeatures, message_batch
from streams.features.tokens import TOKENIZER, TextPipeline
from streams.inference.addresses import targets
from streams.inference.contracts import (
    MESSAGE,
    ModelVersion,
    TensorSpec,
    VersionFacts,
    config_pbtxt,
    head_outputs,
)
from streams.inference.scorer import ModelScore, Scorer, by_bucket
from streams.inference.sharing import offer, place_assembly
from streams.inference.triton import TritonClient

BENCHMARK: Final = "trunk_cost"
#: Messages that are dispatched together, and so many of such calls at a time, as a loaded worker does.
BATCHES: Final = (1, 32)
CONCURRENT: Final = 4
_MESSAGES: Final = {1: 200, 32: 1_600}
_SHIPPED: Final = ModelVersion("message_harassment", 1)
_TIMEOUT_S: Final = 120.0
#: Before and after a measurement: the sampler looks ten times a second.
_AROUND_S: Final = 0.5
_IN_PROCESS_ROWS: Final = 32
_IN_PROCESS_ROUNDS: Final = 15
_ENSEMBLE: Final = ModelVersion("message_ensemble", 1)
_TRUNK: Final = ModelVersion("message_trunk", 1)

Send = Callable[[Sequence[WindowFeatures]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A way of serving D domains: its repository, and how a client has rows scored; `send` returns scores received."""

    name: str
    write: Callable[[Path], None]
    sender: Callable[[TritonClient], Awaitable[Send]]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The files that the arrangements serve: `own` of every domain, and the heads, complete, on one trunk."""

    own: onnx.ModelProto
    trunk: onnx.ModelProto
    heads: Mapping[ModelVersion, onnx.ModelProto]

    @classmethod
    def of(cls, shipped: Path, domains: int) -> Fleet:
        """So many domains, with the words of a shipped model."""
        own = onnx.load(str(shipped / "model.onnx"))
        words = vocabulary_of(own)
        torch.manual_seed(1)
        network = MessageTrunk(words.size, ConversationShape())
        trunk = trunk_onnx(network, words)
        heads = {
            ModelVersion(f"message_domain_{number:02d}", 1): joined(
                trunk, head_onnx(MessageHead(network.width, HeadShape()))
            )
            for number in range(domains)
        }
        return cls(own, trunk, heads)


def arrangements(fleet: Fleet) -> Iterator[Arrangement]:
    """All four."""
    versions = tuple(fleet.heads)
    facts = {1: VersionFacts(TOKENIZER)}

    def write_own(repository: Path) -> None:
        for version in versions:
            _write(repository, version, fleet.own, config_pbtxt(version.model, facts))

    def write_assembly(repository: Path) -> None:
        with TemporaryDirectory() as folder:
            for version, model in fleet.heads.items():
                _write(Path(folder), version, model, "")
            built = assemblies_of(Path(folder), versions)
        for one in built:
            place_assembly(repository, one)
            offer(repository, one)

    def write_parts(repository: Path) -> None:
        vector = TensorSpec(VECTOR, "FP32", (width_of(fleet.trunk),))
        _write(repository, _TRUNK, fleet.trunk, _config(_TRUNK.model, MESSAGE.inputs, (vector,)))
        for version, model in fleet.heads.items():
            _write(repository, version, head_of(model), _config(version.model, (vector,), MESSAGE.outputs))

    def write_ensemble(repository: Path) -> None:
        write_parts(repository)
        (repository / _ENSEMBLE.model / "1").mkdir(parents=True)
        (repository / _ENSEMBLE.model / "config.pbtxt").write_text(_ensemble_config(versions))

    async def scored(client: TritonClient) -> Send:
        scorer = Scorer(client)
        await scorer.check(versions)

        async def send(rows: Sequence[WindowFeatures]) -> int:
            answers = await scorer.score_messages(rows, versions)
            return sum(isinstance(outcome, ModelScore) for row in answers for outcome in row.values())

        return send

    async def in_one(client: TritonClient) -> Send:
        names = [str(version) for version in versions]

        async def send(rows: Sequence[WindowFeatures]) -> int:
            return sum(
                [
                    sum(map(len, (await client.infer(_ENSEMBLE.model, 1, inputs, names)).values()))
                    for inputs in _requests(rows)
                ]
            )

        return send

    async def in_two(client: TritonClient) -> Send:
        async def send(rows: Sequence[WindowFeatures]) -> int:
            received = 0
            for inputs in _requests(rows):
                vector = await client.infer(_TRUNK.model, 1, inputs, [VECTOR])
                answers = await asyncio.gather(
                    *(client.infer(version.model, 1, vector, ["score"]) for version in versions)
                )
                received += sum(len(answer["score"]) for answer in answers)
            return received

        return send

    yield Arrangement("own models", write_own, scored)
    if len(versions) > 1:  # of a single head there is no assembly
        yield Arrangement("assembly", write_assembly, scored)
    yield Arrangement("ensemble", write_ensemble, in_one)
    yield Arrangement("two trips", write_parts, in_two)


def _requests(rows: Sequence[WindowFeatures]) -> Iterator[Mapping[str, Any]]:
    for bucket, members in by_bucket([row.bucket for row in rows], MESSAGE.max_batch_size):
        yield message_batch([rows[index] for index in members], bucket)


def _write(repository: Path, version: ModelVersion, model: onnx.ModelProto, config: str) -> None:
    directory = repository / version.model / str(version.version)
    directory.mkdir(parents=True)
    (directory / "model.onnx").write_bytes(model.SerializeToString())
    (directory.parent / "config.pbtxt").write_text(config)


def _tensors(kind: str, tensors: Sequence[TensorSpec]) -> str:
    lines = ", ".join(
        f'{{ name: "{one.name}" data_type: TYPE_{one.data_type} dims: {list(one.dims)} }}' for one in tensors
    )
    return f"{kind} [ {lines} ]\n"


def _config(model: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> str:
    """As `config_pbtxt` writes it, for tensors that no family has."""
    return (
        f'name: "{model}"\nbackend: "onnxruntime"\nmax_batch_size: {MESSAGE.max_batch_size}\n'
        + _tensors("input", inputs)
        + _tensors("output", outputs)
        + "dynamic_batching { max_queue_delay_microseconds: 0 }\n"
        + "instance_group [ { kind: KIND_AUTO count: 1 } ]\n"
        + 'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
    )


def _ensemble_config(heads: Sequence[ModelVersion]) -> str:
    def step(version: ModelVersion, inputs: Sequence[str], output: tuple[str, str]) -> str:
        given = "".join(f'input_map {{ key: "{name}" value: "{name}" }} ' for name in inputs)
        return (
            f'{{ model_name: "{version.model}" model_version: {version.version} {given}'
            f'output_map {{ key: "{output[0]}" value: "{output[1]}" }} }}'
        )

    steps = [step(_TRUNK, [tensor.name for tensor in MESSAGE.inputs], (VECTOR, VECTOR))]
    steps += [step(head, [VECTOR], ("score", str(head))) for head in heads]
    return (
        f'name: "{_ENSEMBLE.model}"\nplatform: "ensemble"\nmax_batch_size: {MESSAGE.max_batch_size}\n'
        + _tensors("input", MESSAGE.inputs)
        + _tensors("output", head_outputs(heads))
        + f"ensemble_scheduling {{ step [ {', '.join(steps)} ] }}\n"
    )


async def _cost_ms(send: Send, pid: int, rows: Sequence[WindowFeatures], batch: int, domains: int) -> float:
    """Milliseconds of processor time a message. Raises RuntimeError for a score that did not come."""
    parts = [rows[at : at + batch] for at in range(0, len(rows), batch)]
    turns = asyncio.Semaphore(CONCURRENT)

    async def one(part: Sequence[WindowFeatures]) -> int:
        async with turns:
            return await send(part)

    await asyncio.gather(*(one(part) for part in parts[: 2 * CONCURRENT]))  # connections, first allocations
    with CpuSampler({"server": [pid]}) as sampler:
        await asyncio.sleep(_AROUND_S)
        began_s, own_s = time.time(), time.process_time()
        received = sum(await asyncio.gather(*(one(part) for part in parts)))
        own_s = time.process_time() - own_s
        # Processor time is counted in hundredths of a second; what is counted late is counted here.
        await asyncio.sleep(_AROUND_S)
        ended_s = time.time() - _AROUND_S / 2
    if received != len(rows) * domains:
        raise RuntimeError(f"{received} scores of {len(rows) * domains} came")
    return 1e3 * (own_s + sampler.samples["server"].between(began_s, ended_s)) / len(rows)


async def _measure(
    running: Mapping[str, tuple[Arrangement, EmbeddedTriton]],
    windows: Sequence[WindowFeatures],
    rounds: int,
    domains: int,
) -> dict[tuple[str, int], list[float]]:
    found: dict[tuple[str, int], list[float]] = {}
    clients = {
        name: TritonClient(targets(server.grpc_address, tls=False), timeout_s=_TIMEOUT_S)
        for name, (_, server) in running.items()
    }
    try:
        senders = {name: await running[name][0].sender(client) for name, client in clients.items()}
        for number in range(rounds):
            for batch in BATCHES:
                order = list(senders) if number % 2 else list(reversed(senders))
                for name in order:
                    rows = windows[: _MESSAGES[batch]]
                    cost = await _cost_ms(senders[name], running[name][1].pid, rows, batch, domains)
                    found.setdefault((name, batch), []).append(cost)
    finally:
        for client in clients.values():
            await client.close()
    return found


def in_process(
    shipped: Path, domains: Sequence[int], windows: Sequence[WindowFeatures]
) -> list[dict[str, Any]]:
    """Microseconds a row inside ONNX Runtime alone, batches of 32 of the shortest length, without a server around it.

    D models of their own cost D times what one does; the assembly is measured at every number of domains.
    """
    short = [window for window in windows if window.bucket == MESSAGE.buckets[0]][:_IN_PROCESS_ROWS]
    inputs = message_batch(short, MESSAGE.buckets[0])
    fleet = Fleet.of(shipped, max(domains))
    graphs = {
        number: assembled({str(head): model for head, model in list(fleet.heads.items())[:number]})
        for number in domains
        if number > 1
    }
    own_us, *assembly_us = us_per_row(
        [session(one) for one in (fleet.own, *graphs.values())],
        inputs,
        _IN_PROCESS_ROWS,
        rounds=_IN_PROCESS_ROUNDS,
    )
    by_domains = dict(zip(graphs, assembly_us, strict=True))
    return [
        {"domains": number, "own_us": number * own_us, "assembly_us": by_domains.get(number)}
        for number in domains
    ]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--domains", type=click.IntRange(1), multiple=True, default=(1, 3, 10, 30), show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--server/--no-server", default=True, help="Measure on Triton too, not only inside ONNX Runtime."
)
@click.option("--repository", type=click.Path(path_type=Path, exists=True), default=Path("triton_repo"))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def main(
    domains: tuple[int, ...], rounds: int, server: bool, repository: Path, out: Path, page: Path
) -> None:
    """Start a server for each arrangement, measure them in turns, and write trunk_cost.json."""
    watch = Stopwatch()
    windows = message_set(message_part("held_out", 1, max(_MESSAGES.values())), TextPipeline()).features
    shipped = repository / _SHIPPED.model / str(_SHIPPED.version)
    alone = in_process(shipped, domains, windows)
    rows: list[dict[str, Any]] = []
    for number in domains if server else ():
        rows += _on_triton(Fleet.of(shipped, number), windows, rounds)
    result = record(
        BENCHMARK,
        command=f"python -m benchmarks.models.trunk_cost --rounds {rounds}{'' if server else ' --no-server'}",
        seeds=[1],
        minutes=watch.minutes(),
        rows=rows,
        in_process=alone,
        processor=machine(),
        concurrent=CONCURRENT,
        messages={str(batch): count for batch, count in _MESSAGES.items()},
    )
    save(result, out)
    write_page(out, page)


def _on_triton(fleet: Fleet, windows: Sequence[WindowFeatures], rounds: int) -> list[dict[str, Any]]:
    """A row an arrangement and batch, their servers running side by side."""
    number = len(fleet.heads)
    with ExitStack() as stack:
        running = {}
        for one in arrangements(fleet):
            base = Path(stack.enter_context(TemporaryDirectory()))
            (base / "repository").mkdir()
            one.write(base / "repository")
            server = EmbeddedTriton(base / "repository", base / "data")
            stack.callback(server.stop)
            running[one.name] = (one, server.start().wait_ready(timeout_s=600))
            if unready := server.unready():
                raise click.ClickException(f"{one.name}: Triton does not serve {unready}")
        found = asyncio.run(_measure(running, windows, rounds, number))
    for (name, batch), costs in found.items():
        click.echo(f"{number} domains, batches of {batch}, {name}: {min(costs):.3f} ms", err=True)
    return [
        {"domains": number, "arrangement": name, "batch": batch, "rounds": rounds}
        | {"cpu_ms": {**_plain(Spread.of(costs)), "median": sorted(costs)[len(costs) // 2]}}
        for (name, batch), costs in found.items()
    ]


def _plain(spread: Spread) -> dict[str, Any]:
    return {"mean": spread.mean, "deviation": spread.deviation, "runs": list(spread.runs)}


if __name__ == "__main__":
    main()
