"""Health check of a container: exit 0 when this machine's worker answers /readyz with 200."""

from __future__ import annotations

import http.client
import sys

from streams.settings import Settings

TIMEOUT_S = 3.0


def ready(host: str, port: int) -> bool:
    """Whether the worker at this address says that it is ready."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable_at(bind: str) -> str:
    """Where to ask a server that binds this address, from the same machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(bind, bind)  # noqa: S104 - compared, not bound


if __name__ == "__main__":
    settings = Settings()
    sys.exit(0 if ready(reachable_at(settings.web_bind), settings.web_port) else 1)
