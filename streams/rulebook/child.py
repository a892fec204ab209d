"""Runs the check in a process of its own, so that a hostile or huge rule file cannot harm the worker.

The child gets the files' bytes on its standard input (what was hashed is what is checked) and answers with a bundle
of JSON lines on its standard output. It may use so much memory and processor time and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import time
from collections.abc import Sequence

import msgspec

from streams.diagnostics import Issue
from streams.rule_engine.rule import Rule
from streams.rulebook.assembly import uncollected
from streams.rulebook.benign import BenignText
from streams.rulebook.check import Bundle, check
from streams.rulebook.files import SourceFile

#: 10,000 rules take 3 s and 200 MB; twenty and ten times that is a mistake or an attack.
TIMEOUT_S = 60.0
MEMORY_BYTES = 2 << 30
#: Decoding a rule takes some 5 µs.
_RULES_AT_ONCE = 500


class _Request(msgspec.Struct, frozen=True):
    files: tuple[SourceFile, ...]
    benign: tuple[BenignText, ...]
    now_us: int
    memory_bytes: int
    cpu_s: int


async def check_in_child(
    files: Sequence[SourceFile],
    *,
    benign: Sequence[BenignText] = (),
    now_us: int | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
) -> Bundle:
    """Check rule files in a child process.

    A child that runs out of time or memory or dies leaves a bundle with that as its only issue.
    """
    now_us = time.time_ns() // 1000 if now_us is None else now_us
    request = _Request(tuple(files), tuple(benign), now_us, memory_bytes, max(1, round(timeout_s)))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "streams.rulebook",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    path = files[0].name if files else "rules"
    try:
        async with asyncio.timeout(timeout_s):
            answer, complaint = await child.communicate(msgspec.msgpack.encode(request))
    except TimeoutError:
        return _failed("check.timeout", f"checking the rules took longer than {timeout_s:g} s", path)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it may end at this very moment
                child.kill()
            await child.wait()
    if child.returncode != 0:
        last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return _failed(
            "check.died", f"checking the rules ended with status {child.returncode}: {last[:300]}", path
        )
    return await _decoded(answer)


async def _decoded(answer: bytes) -> Bundle:
    """The bundle, rule by rule, so that the loop is not held up: 10,000 rules at once take 50 ms."""
    head, *lines = answer.splitlines()
    bundle = msgspec.json.decode(head, type=Bundle)
    decoder = msgspec.json.Decoder(Rule)
    rules: list[Rule] = []
    with uncollected():
        for at in range(0, len(lines), _RULES_AT_ONCE):
            rules += [decoder.decode(line) for line in lines[at : at + _RULES_AT_ONCE]]
            await asyncio.sleep(0)
    return msgspec.structs.replace(bundle, rules=tuple(rules))


def main() -> None:
    """The child: reads a request from standard input, writes the bundle to standard output."""
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Request)
    _limit(resource.RLIMIT_AS, request.memory_bytes)
    _limit(resource.RLIMIT_CPU, request.cpu_s)
    bundle = check(request.files, now_us=request.now_us, benign=request.benign)
    # JSON never holds a line break, so each line is a value
    lines = [msgspec.json.encode(msgspec.structs.replace(bundle, rules=()))]
    lines += [msgspec.json.encode(rule) for rule in bundle.rules]
    sys.stdout.buffer.write(b"\n".join(lines))


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (soft, hard))


def _failed(code: str, message: str, path: str) -> Bundle:
    hint = "split the files, or look for a word list or pattern that is far too large"
    return Bundle((), {}, (Issue(code, message, path, 1, 1, hint),), 0)
