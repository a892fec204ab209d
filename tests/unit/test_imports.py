"""Imports run one way, and production never pulls in training."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Lower floors must not import higher ones. Modules by floor, the ground first.
FLOORS = (
    (
        "streams.events",
        "streams.settings",
        "streams.metrics",
        "streams.tls",
        "streams.diagnostics",
        "streams.strict_yaml",
        "streams.yaml_cursor",
        "streams.digests",
        "streams.shares",
        "streams.stress.identity",
    ),
    (
        "streams.windows",
        "streams.policy",
        "streams.features",
        "streams.alerts",
        "streams.review",
        "streams.statistics",
        "streams.budgets",
        "streams.drift",
        "streams.progress",
        "streams.rule_engine",
        "streams.inference",
        "streams.kafka",
        "streams.embedded",
        "streams.logs",
        "streams.health",
    ),
    ("streams.rulebook",),
    ("streams.screening",),
    ("streams.conclusion", "streams.rescoring"),
    ("streams.agents",),
    ("streams.faust_app",),
    ("streams.app",),
    ("streams.progress_watch",),
    ("streams.worker",),
    ("streams.stress", "streams.archive"),
    ("streams.cli",),
)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def floor_of(module: str) -> int | None:
    return next(
        (
            number
            for number, names in enumerate(FLOORS)
            for name in names
            if module == name or module.startswith(name + ".")
        ),
        None,
    )


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", sorted((ROOT / "streams").rglob("*.py")), ids=module_of)
def test_a_module_imports_only_its_own_floor_and_those_below(path: Path) -> None:
    own = floor_of(module_of(path))
    for imported in imports(path):
        assert imported.split(".")[0] not in {"models", "marketplace", "demo", "torch", "lightgbm"}, imported
        other = floor_of(imported)
        if own is not None and other is not None:
            assert other <= own, f"{module_of(path)} imports {imported}"


def test_the_worker_starts_without_what_only_training_needs() -> None:
    code = "import sys, streams.worker; sys.exit(any(m in sys.modules for m in ('torch', 'onnx', 'sklearn', 'models', 'marketplace')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
