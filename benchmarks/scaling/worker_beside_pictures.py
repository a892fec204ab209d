"""`sekisho worker` that may fetch pictures from this machine, which no setting allows: a worker stands inside a network.

Started by the benchmark as `python -m benchmarks.scaling.worker_beside_pictures`; everything else is the command's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from pathlib import Path

from streams import app
from streams.agents.pictures import PicturesInTurn
from streams.cli.worker import command
from streams.features.image_fetch import AllowedHosts, ImageFetcher


class PicturesOfThisMachine(PicturesInTurn):
    """Fetches from loopback addresses only, the hosts still being those of the settings."""

    def __init__(self, *, hosts: Collection[str], paths: Path | None, timeout_s: float) -> None:
        """As `PicturesInTurn`."""
        super().__init__(hosts=hosts, paths=paths, timeout_s=timeout_s)
        self._fetcher = ImageFetcher(
            AllowedHosts(hosts), allow_address=lambda address: ipaddress.ip_address(address).is_loopback
        )


if __name__ == "__main__":
    app.PicturesInTurn = PicturesOfThisMachine  # type: ignore[attr-defined]
    command()
