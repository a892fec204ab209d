"""What figures were measured on: the processor, its load, and versions of what took part."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("ahocorasick-rs", "google-re2", "msgspec", "hyperscan", "pyahocorasick")


def machine() -> str:
    """The processor and how many of its cores there are."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the end"


def versions() -> dict[str, str]:
    """By name; packages that are not installed are left out."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
