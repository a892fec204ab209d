"""On a machine with a load of 30 Triton gave up waiting for a lock in shared memory and aborted before it was ready.

`sekisho up`, the demo and every test of that minute ended with it. That cannot be called forth at will, so a program
that ends in the same way stands where the server does.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.embedded.process import EmbeddedServerError, ServerProcess
from streams.embedded.triton import EmbeddedTriton

pytestmark = pytest.mark.embedded

#: Fails `failures` times with those last words, then answers as Triton does when it serves nothing.
SERVER = """
import http.server, os, pathlib, sys
starts, failures, words, port = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
number = int(starts.read_text()) + 1 if starts.exists() else 1
starts.write_text(str(number))
if number <= failures:
    print(words, flush=True)
    print("at frame\\n" * 60, flush=True)
    os.abort()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        self.do_GET()
        self.wfile.write(b"[]")
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""
LOCK = "terminate called after throwing an instance of 'boost::interprocess::lock_exception'"


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[EmbeddedTriton]:
    (tmp_path / "repository").mkdir()
    made = EmbeddedTriton(tmp_path / "repository", tmp_path / "data")
    yield made
    made.kill()


def ends(triton: EmbeddedTriton, failures: int, words: str = LOCK) -> Path:
    """Put the program in the server's place; where it counts its starts."""
    script, starts = triton.data_dir / "server.py", triton.data_dir / "starts"
    triton.data_dir.mkdir()
    script.write_text(SERVER)
    triton._process = ServerProcess(
        "the embedded Triton",
        [sys.executable, str(script), str(starts), str(failures), words, str(triton.ports.http)],
        log_file=triton.log_file,
        death_signal=signal.SIGTERM,
    )
    return starts


def test_it_is_started_again_twice(triton: EmbeddedTriton, caplog: pytest.LogCaptureFixture) -> None:
    starts = ends(triton, failures=2)
    with caplog.at_level(logging.WARNING):
        triton.start().wait_ready(120)
    assert starts.read_text() == "3"
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the embedded Triton was ended by SIGABRT before it was ready"
    ] * 2


def test_not_a_third_time(triton: EmbeddedTriton) -> None:
    starts = ends(triton, failures=9)
    with pytest.raises(EmbeddedServerError, match="SIGABRT"):
        triton.start().wait_ready(120)
    assert starts.read_text() == "3"


def test_not_for_another_cause(triton: EmbeddedTriton) -> None:
    starts = ends(triton, failures=9, words="std::bad_alloc")
    with pytest.raises(EmbeddedServerError, match="SIGABRT"):
        triton.start().wait_ready(120)
    assert starts.read_text() == "1"
