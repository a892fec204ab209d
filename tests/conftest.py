"""For all tests: hypothesis judges what the code does, never how fast this machine is at the moment."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("sekisho", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sekisho")
