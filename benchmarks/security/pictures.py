"""What the largest picture of each format costs in memory and processor time: `python -m benchmarks.security.pictures`.

Each is made in one process and decoded in another, whose largest resident size is compared with that before decoding.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from streams.features.image_decode import MAX_PIXELS, decode_image

SIDE = int(MAX_PIXELS**0.5)
#: Name, format, mode, and how it is saved.
KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "PNG, RGB": ("PNG", "RGB", {}),
    "PNG, RGBA": ("PNG", "RGBA", {}),
    "PNG, 16 bits": ("PNG", "I;16", {}),
    "GIF, transparent": ("GIF", "P", {"transparency": 0}),
    "WebP, RGBA": ("WEBP", "RGBA", {}),
    "JPEG, progressive, no subsampling": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "JPEG, progressive, CMYK": ("JPEG", "CMYK", {"progressive": True}),
}


def make(kind: str, path: Path) -> None:
    """Write an empty picture of that kind, as large as is allowed."""
    encoding, mode, options = KINDS[kind]
    Image.new(mode, (SIDE, SIDE)).save(path, encoding, **options)


def decode(path: Path) -> None:
    """Decode it and print megabytes and seconds of processor time."""
    data = path.read_bytes()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = time.process_time()
    decode_image(data)
    took_s = time.process_time() - started_s
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) * 1024 / 1e6
    print(f"{grown_mb:6.0f} MB {took_s:6.2f} s of processor time")


def main() -> None:
    """Every kind in turn."""
    print(f"{SIDE} x {SIDE} pixels")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "picture"
        for kind in KINDS:
            again = [sys.executable, "-m", "benchmarks.security.pictures"]
            subprocess.run([*again, "make", kind, str(path)], check=True)
            done = subprocess.run([*again, "decode", str(path)], check=True, capture_output=True, text=True)
            print(f"{kind:35}{done.stdout.rstrip()}", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", kind, path]:
            make(kind, Path(path))
        case ["decode", path]:
            decode(Path(path))
        case _:
            main()
