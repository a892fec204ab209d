from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.cli.produce import outgoing
from streams.replay_files import Outgoing, Refusal


def test_standard_input_cannot_be_looped() -> None:
    result = CliRunner().invoke(main, ["produce", "-", "--topic", "messages", "--loop"], input="")

    assert result.exit_code == 2
    assert "--loop needs files" in result.stderr


@pytest.mark.parametrize("image", ["../secret.jpg", "/etc/hostname", "link.jpg"])
def test_an_image_outside_the_directory_of_its_file_is_refused(image: str, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    directory = tmp_path / "set"
    directory.mkdir()
    (directory / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    listing = {"listing_id": "l", "seller_id": "s", "title": "t", "image": image}
    (directory / "set.jsonl").write_text(json.dumps({"listing": listing}))

    (refusal,) = outgoing((str(directory / "set.jsonl"),), "listings")

    assert isinstance(refusal, Refusal)
    assert "lies outside the file's directory" in refusal.reason


def test_a_loop_over_files_without_a_usable_line_ends(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("not json\n")
    (tmp_path / "empty.jsonl").write_text("")

    found = list(
        outgoing((str(tmp_path / "bad.jsonl"), str(tmp_path / "empty.jsonl")), "messages", loop=True)
    )

    assert [type(item) for item in found] == [Refusal]


def test_files_follow_each_other(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(json.dumps({"alert_id": name}))

    found = outgoing((str(tmp_path / "b"), str(tmp_path / "a")), "decisions")

    assert [record.key for record in found if isinstance(record, Outgoing)] == [b"b", b"a"]
