"""A disk that can be filled to the last byte and emptied again; on machines that let us mount one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.small_disk import SmallDisk, SmallDiskUnavailable


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk", size_mib=2)
    try:
        made.mount()
    except SmallDiskUnavailable as error:
        pytest.skip(str(error))
    yield made
    made.unmount()


def test_full_it_takes_not_a_byte_and_emptied_it_does(disk: SmallDisk) -> None:
    (disk.path / "before").write_bytes(b"x" * 5000)
    disk.fill()
    with pytest.raises(OSError) as refused:  # noqa: PT011 - the number says which
        (disk.path / "more").write_bytes(b"x" * 4096)
    assert refused.value.errno == errno.ENOSPC
    assert (disk.path / "before").read_bytes() == b"x" * 5000
    disk.empty()
    (disk.path / "after").write_bytes(b"x" * 4096)
    assert (disk.path / "after").read_bytes() == b"x" * 4096
