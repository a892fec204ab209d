"""The campaign has a mark of its own: it takes minutes and the whole machine."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "faults: breaks servers and workers under load for minutes")
