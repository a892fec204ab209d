"""Every kind of bad record through the real worker: a dead letter with its reason, or scored with a note."""

from __future__ import annotations

import base64
import io

import orjson
import pytest
from PIL import Image

from streams.policy import Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.traffic import listing, message, send
from tests.pictures import png_claiming


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


UNUSABLE = {
    "not_utf8": b'{"message_id": "\xff"}',
    "not_json": b"not json",
    "missing_field": b'{"message_id": "m", "transaction_id": "t", "writer": "buyer"}',
    "wrong_type": b'{"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": 7}',
    "bad_value": b'{"message_id": "m", "transaction_id": "t", "writer": "robot", "text": "x"}',
    "empty": None,
}


async def test_unusable_records_become_dead_letters_and_the_stream_goes_on(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await send(settings, [("messages", b"t", value) for value in UNUSABLE.values()])
    await send(settings, [("listings", b"l", b'{"listing_id": "l"}')])
    await send(settings, [message("old", "x")], headers=[("sekisho.format", b"9")])
    await send(settings, [message("fine", "こんにちは")])
    outputs = await accounted_for(settings, policy.domains)
    assert outputs.dead_letter_reasons() == {
        **dict.fromkeys(UNUSABLE, 1),
        "missing_field": 2,
        "unknown_version": 1,
    }
    for place, letters in outputs.dead_letters.items():
        original = outputs.produced[place]
        assert (letters[0].key, letters[0].value or None) == (original.key, original.value)
        assert len(letters) == 1
    assert outputs.prediction_of("fine")["notes"] == []
    status, body = worker.get("/metrics")
    assert status == 200
    assert f'sekisho_dead_letters_total{{reason="not_json",topic="{settings.topic("messages")}"}} 1.0' in body


async def test_odd_events_are_scored_with_a_note(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    await start_worker()
    surrogate = orjson.loads(message("surrogate", "X")[2])
    lone = orjson.dumps({**surrogate, "message_id": "surrogate"}).replace(b'"X"', b'"\\ud83d LINE"')
    await send(
        settings,
        [
            ("messages", b"t1", lone),
            ("messages", b"", message("no-key", "x", transaction_id="t2")[2]),
            ("messages", None, message("null-key", "x", transaction_id="t3")[2]),
            message("y1970", "x", transaction_id="t4", sent_at="1970-01-01T00:00:00Z"),
            message("y2199", "x", transaction_id="t5", sent_at="2199-01-01T00:00:00Z"),
            message("long", "あ" * 90_000, transaction_id="t6"),
            message("blank", "", transaction_id="t7"),
            message("unknown-status", "x", transaction_id="t8", status="teleported", colour="red"),
        ],
    )
    outputs = await accounted_for(settings, policy.domains)
    assert not outputs.dead_letters
    notes = {
        m: outputs.prediction_of(m)["notes"] for m in ("surrogate", "no-key", "null-key", "y1970", "y2199")
    }
    assert notes == {
        "surrogate": ["lone_surrogate"],
        "no-key": ["key_missing"],
        "null-key": ["key_missing"],
        "y1970": ["time_implausible"],
        "y2199": ["time_implausible"],
    }
    for event in ("long", "blank", "unknown-status"):
        assert all(s["score"] is not None for s in outputs.prediction_of(event)["scores"])


async def test_bad_pictures_cost_the_picture_and_not_the_listing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    await start_worker()
    pictures = {
        "good": ({"data": _b64(_jpeg())}, None),
        "broken": ({"data": _b64(_jpeg()[:200])}, "image_broken"),
        "not-base64": ({"data": "%%%"}, "image_broken"),
        "bomb": ({"data": _b64(png_claiming(60_000, 60_000))}, "image_bomb"),
        "host": ({"url": "https://elsewhere.example/a.jpg"}, "image_host_refused"),
        "private": ({"url": "http://127.0.0.1/a.jpg"}, "image_"),
        "scheme": ({"url": "file:///etc/passwd"}, "image_"),
        "path": ({"path": "../../etc/passwd"}, "image_path_refused"),
    }
    await send(settings, [listing(name, "鞄", images=[image]) for name, (image, _) in pictures.items()])
    outputs = await accounted_for(settings, policy.domains)
    assert not outputs.dead_letters
    found = {p[0]["subject"]["listing_id"]: p[0] for p in outputs.predictions.values()}
    for name, (_, note) in pictures.items():
        prediction = found[name]
        assert all(s["score"] is not None for s in prediction["scores"]), name
        if note is None:
            assert prediction["notes"] == []
        else:
            assert any(n.startswith(note) for n in prediction["notes"]), (name, prediction["notes"])


@pytest.mark.parametrize("broker", ["tansu", "kafka"], indirect=True)
async def test_a_record_of_five_megabytes_is_put_aside_with_its_bytes(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    await start_worker()
    huge = message("huge", "x" * 5_000_000)
    await send(settings, [huge, message("after", "x")])
    outputs = await accounted_for(settings, policy.domains)
    assert outputs.dead_letter_reasons() == {"too_large": 1}
    ((letter,),) = outputs.dead_letters.values()
    assert letter.value == huge[2]
    assert outputs.prediction_of("after")
