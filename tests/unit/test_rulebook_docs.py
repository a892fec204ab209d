"""docs/rules.md names every code, shows files that are really accepted, and the shipped rules keep to it."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from streams.cli.rules import command as rules_command
from streams.rulebook.check import check
from streams.rulebook.files import SourceFile

_ROOT = Path(__file__).parents[2]
_DOCUMENT = (_ROOT / "docs" / "rules.md").read_text("utf-8")
_DOCUMENTED = set(re.findall(r"`([a-z]+\.[a-z0-9-]+)`", _DOCUMENT))
_APPROVED = (
    _ROOT / "tests" / "unit" / "test_policy.approved.txt",
    _ROOT / "tests" / "unit" / "rule_engine" / "bad_rules.approved.txt",
)
#: Functions whose first argument is the code of an issue, whole or without its first part.
_WHOLE = {"Issue", "_refuse", "_failed"}


def _codes_in(path: Path) -> Iterator[tuple[str, str]]:
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        function = getattr(call.func, "id", getattr(call.func, "attr", ""))
        for argument in call.args[:2]:
            code = argument.value if isinstance(argument, ast.Constant) else None
            if not isinstance(code, str) or not re.fullmatch(r"[a-z][a-z.-]+", code):
                continue
            if function in _WHOLE and "." in code:
                yield "", code
            elif function == "note" and argument is call.args[0]:
                yield ("policy." if path.name == "policy.py" else "rule."), code


def test_every_code_in_the_source_is_documented() -> None:
    sources = [
        *(_ROOT / "streams" / name for name in ("policy.py", "strict_yaml.py", "yaml_cursor.py")),
        *(_ROOT / "streams" / "rule_engine").rglob("*.py"),
        *(_ROOT / "streams" / "rulebook").rglob("*.py"),
    ]
    codes = {prefix + code for path in sources for prefix, code in _codes_in(path)}
    assert len(codes) > 40, "the codes are written in another way now: this test finds none"
    assert codes - _DOCUMENTED == set()


def test_every_code_that_people_have_seen_is_documented() -> None:
    seen = {
        code
        for path in _APPROVED
        for code in re.findall(r":\d+: (?:warning: )?([a-z]+\.[a-z-]+): ", path.read_text("utf-8"))
    }
    assert len(seen) > 30
    assert seen - _DOCUMENTED == set()


def test_the_examples_are_good() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", _DOCUMENT, re.DOTALL)
    rules, domains = (block for block in blocks if block.startswith("format: 1"))
    shipped = (_ROOT / "rules" / "domains.yaml").read_bytes()
    bundle = check(
        [SourceFile("domains.yaml", shipped), SourceFile("example.yaml", rules.encode())], now_us=0
    )
    assert [issue.render() for issue in bundle.issues] == []
    assert bundle.samples_run == 3
    assert [
        issue.code for issue in check([SourceFile("domains.yaml", domains.encode())], now_us=0).issues
    ] == []


def test_the_example_of_explain_is_what_the_command_says() -> None:
    block = re.search(r"```\n\$ sekisho rules (explain .*?)\n(.*?)```", _DOCUMENT, re.DOTALL)
    assert block is not None
    result = CliRunner().invoke(rules_command, [*shlex.split(block[1]), "--rules", str(_ROOT / "rules")])
    assert result.output == block[2]
