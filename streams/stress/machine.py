"""What a result file says of where it was measured: versions, and settings that are no secret."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from streams.settings import Settings

_PACKAGES = ("sekisho", "aiokafka", "msgspec", "numpy")


def surroundings(settings: Settings, *, source: str) -> dict[str, object]:
    """`source` says what was sent."""
    return {
        "source": source,
        "deployment": {
            "broker": settings.broker,
            "security_protocol": settings.security_protocol,
            "topic_prefix": settings.topic_prefix,
        },
        "sent_from": {"system": platform.platform(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    }
