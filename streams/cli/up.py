"""`sekisho up`: an embedded broker and an embedded Triton in the foreground, for a laptop."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from streams.cli.console import load_settings, to_stderr

if TYPE_CHECKING:
    from streams.embedded.broker import BrokerKind
    from streams.embedded.servers import EmbeddedServers

#: How often the servers are looked at; a dead Triton is back a second or so later.
_LOOK_S = 0.5


@click.command()
@click.option(
    "--broker",
    type=click.Choice(["tansu", "noida", "none"]),
    default="tansu",
    show_default=True,
    help="tansu: several workers, keeps nothing; noida: one worker, keeps its data; none: use SEKISHO_BROKER.",
)
@click.option(
    "--broker-port", type=click.IntRange(0, 65535), default=9092, show_default=True, help="0: a free one."
)
@click.option(
    "--triton/--no-triton", default=True, show_default=True, help="Start Triton, or use SEKISHO_TRITON."
)
@click.option(
    "--triton-port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="gRPC; 0: a free one.",
)
@click.option(
    "--triton-http-port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0: a free one.",
)
@click.option(
    "--triton-metrics-port",
    type=click.IntRange(0, 65535),
    default=8002,
    show_default=True,
    help="0: a free one.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Model repository.  [default: SEKISHO_MODEL_REPOSITORY]",
)
def command(
    *,
    broker: BrokerKind | str,
    broker_port: int,
    triton: bool,
    triton_port: int,
    triton_http_port: int,
    triton_metrics_port: int,
    repository: Path | None,
) -> None:
    """Start a broker and a Triton from pip packages and keep them running until Ctrl-C.

    Both listen on 127.0.0.1 only. The variables to export go to standard output, all else to standard error.
    Triton is started again when it dies. For production use Apache Kafka and the official Triton container.

    Example: sekisho up --broker noida --broker-port 0
    """
    from streams.embedded.process import EmbeddedServerError, free_ports
    from streams.embedded.servers import embedded_servers
    from streams.embedded.triton import TritonPorts

    settings = load_settings()
    # As Ctrl-C: the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    free = iter(free_ports(3))
    ports = TritonPorts(*(p or next(free) for p in (triton_port, triton_http_port, triton_metrics_port)))
    try:
        with embedded_servers(
            data_dir=settings.data_dir,
            repository=repository or settings.model_repository,
            broker=None if broker == "none" else broker,  # type: ignore[arg-type]  # click checked the choice
            broker_port=broker_port or None,
            triton=triton,
            triton_ports=ports,
        ) as servers:
            _describe(servers)
            _keep_running(servers)
    except EmbeddedServerError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        to_stderr().print("stopped")


def _keep_running(servers: EmbeddedServers) -> None:
    while True:
        time.sleep(_LOOK_S)
        for sentence in servers.tend():
            to_stderr().print(f"[yellow]{escape(sentence)}[/]")


def _describe(servers: EmbeddedServers) -> None:
    status = to_stderr()
    if servers.broker is not None:
        status.print(f"[green]●[/] broker ({servers.broker.kind}) on {servers.broker.bootstrap}")
    if servers.triton is not None:
        unready = servers.triton.unready()
        status.print(
            f"[green]●[/] Triton on {servers.triton.grpc_address}, metrics {servers.triton.metrics_url}, "
            f"log {escape(str(servers.triton.log_file))}"
        )
        for model, reason in sorted(unready.items()):
            status.print(f"[red]●[/] model {escape(model)} is not served: {escape(reason)}")
    for name, value in servers.environment().items():
        click.echo(f"export {name}={value}")
    status.print("Ctrl-C stops them.")
