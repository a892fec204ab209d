"""Mutations that know JSON and the fields: wrong types, missing and foreign fields, depth, numbers, lengths, times."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from random import Random
from typing import Any

from tests.faults.fuzz.mutator import IDS, TEXTS, TIMES, Mutator, of_body
from tests.faults.fuzz.specimens import CANARY, Specimen

_ANYTHING: tuple[Any, ...] = (
    0, -1, 1.5, True, False, None, "", "x", [], {}, [None], {"a": 1}, 10**30, -(10**400), 2**63, "１２", [[[]]], "null", "\0",
)  # fmt: skip


def _any_field(rng: Random, body: dict[str, Any]) -> str:
    return rng.choice(list(body) or ["x"])


def _wrong_type(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    for _ in range(rng.choice((1, 1, 1, 3))):
        body[_any_field(rng, body)] = rng.choice(_ANYTHING)


def _every_field_of_a_type(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    thing = rng.choice(_ANYTHING)
    body.update(dict.fromkeys(body, thing))


def _missing(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    for _ in range(rng.choice((1, 1, 2, 4))):
        body.pop(_any_field(rng, body), None)


def _foreign(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    for _ in range(rng.choice((1, 3, 60))):
        name = "".join(rng.choices(string.printable + "あ漢\u200b\u202e𝕏", k=rng.randint(0, 12)))
        body[name] = rng.choice((*_ANYTHING, CANARY))


def _in_other_letters(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    name = _any_field(rng, body)
    other = rng.choice((name.upper(), f" {name}", f"{name}\0", name.replace("e", "е"), f"\ufeff{name}"))
    body[other] = body.get(name)
    if rng.random() < 0.5:
        body.pop(name, None)


def _no_object(rng: Random, body: dict[str, Any], specimen: Specimen) -> Any:
    return rng.choice(([body], [], "text", 7, True, json.dumps(body), [[body]], [1, 2]))


def _bad_enumeration(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    names = {"messages": ("writer", "status"), "listings": ("condition",), "reports": ("domain",)}
    name = rng.choice(names.get(specimen.topic, ("verdict",)))
    body[name] = rng.choice(("SELLER", "seller ", "robot", "", "ｓｅｌｌｅｒ", "buyer\0", CANARY, "x" * 5000))


def _odd_time(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body[TIMES[specimen.topic]] = rng.choice((
        "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z",
        "2199-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:00:60Z", "20261121T100000",
        "2026-W47-6", "2026-11-21T10:00:00+99:99", "２０２６-11-21T10:00:00Z", "-2026-11-21T10:00:00Z", "", "now", "1" * 300,
        "2026-11-21T10:00:00.1234567890123Z", "2026-11-21T10:00:00+23:59:59.999999", "1700000000000", "\ud800",
    ))  # fmt: skip


def _length(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    """At the documented limit and one beyond: 256 for ids, 100,000 for texts."""
    if rng.random() < 0.9:
        letter = rng.choice(("a", "あ", "𝕏", "e\u0301", "\u200b"))
        body[IDS[specimen.topic]] = (letter * 257)[: rng.choice((0, 1, 255, 256, 257))]
    else:
        letter = rng.choice(("a", "あ", "𝕏", " ", "\n"))
        body[rng.choice(TEXTS[specimen.topic])] = letter * rng.choice((0, 99_999, 100_000, 100_001))


def _attributes(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["attributes"] = rng.choice((
        {"": ""}, {"a": None}, {"a": [1]}, {"a": {"b": 1}}, {"price": 1e308, "p": -1e308}, {CANARY: CANARY * 1000},
        {f"n{i}": i for i in range(2000)}, {"a": "\ud800", "\udfff": 1}, {"a": True, "b": 0.1, "c": "x"}, {"size\0": "\x1b[2J"},
        {"a": 10**rng.choice((20, 308, 309, 4000))}, "text", [],
    ))  # fmt: skip


def _whole_numbers_as_floats(rng: Random, specimen: Specimen) -> Specimen:
    """`1e15` is written back as `1000000000000000.0`: the outputs are more than twice as long as the record."""
    letters = string.ascii_letters + string.digits
    names = ("".join((a, b, c)) for a in letters for b in letters for c in letters)
    count = rng.choice((10_000, 30_000))
    attributes = ",".join(f'"{name}":1e15' for name, _ in zip(names, range(count), strict=False))
    value = f'{{"listing_id":"floats","seller_id":"s","title":"鞄","attributes":{{{attributes}}}}}'.encode()
    return replace(specimen, key=b"floats", value=value, alone=True)


def _into(specimen: Specimen, fragment: bytes) -> Specimen:
    """The object with one more member, `"zzz": fragment`, or with it in the place of a field."""
    body = specimen.value or b""
    if not body.endswith(b"}"):
        return specimen
    return replace(specimen, value=body[:-1] + b',"zzz":' + fragment + b"}")


def _deep(rng: Random, specimen: Specimen) -> Specimen:
    depth = rng.choice((10, 100, 300, 600, 900, 990, 1100, 5_000, 50_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"\\ud800":', b"}]")))
    nested = opening * depth + rng.choice((b"1", b'"\\ud800"', b'"x"')) + closing * depth
    whole = rng.random()
    if whole < 0.1:
        return replace(specimen, value=nested)
    if whole < 0.2:
        return replace(specimen, value=opening * depth)
    return _into(specimen, nested)


_NUMBERS = (
    b"9" * 20, b"9" * 309, b"9" * 4301, b"-" + b"9" * 400, b"1e308", b"1e309", b"-1e999", b"1e-400", b"NaN", b"Infinity", b"-Infinity",
    b"1e99999999999999999999", b"0." + b"1" * 50_000, b"-0", b"01", b"1.", b".5", b"+1", b"0x10", b"1_000", b"2147483648",
    b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"-1",
)  # fmt: skip


def _number(rng: Random, specimen: Specimen) -> Specimen:
    number = rng.choice(_NUMBERS)
    if specimen.topic == "listings" and rng.random() < 0.7:
        body = (specimen.value or b"").lstrip()
        if body.startswith(b"{") and len(body) > 2:
            name = rng.choice((b'"price":', b'"attributes":{"n":'))
            member = name + number + (b"}" if b"{" in name else b"")
            return replace(specimen, value=body[:-1] + b"," + member + b"}")  # the last of two members counts
    return _into(specimen, rng.choice((number, b'["\\ud800",' + number + b"]")))


def _twice(rng: Random, specimen: Specimen) -> Specimen:
    """A member twice: by JSON's usual reading the last one counts."""
    try:
        body = json.loads(specimen.value or b"")
    except (ValueError, RecursionError):
        return specimen
    if not isinstance(body, dict) or not body:
        return specimen
    name = _any_field(rng, body)
    other = json.dumps(rng.choice((*_ANYTHING, body[name])))
    member = f"{json.dumps(name)}:{other}".encode()
    value = specimen.value or b""
    at_end = rng.random() < 0.5
    return replace(
        specimen, value=value[:-1] + b"," + member + b"}" if at_end else b"{" + member + b"," + value[1:]
    )


def _many(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["zzz"] = rng.choice(([0] * 20_000, {str(i): i for i in range(5_000)}, ["x" * 100] * 500))
    body.update({f"field{i}": i for i in range(rng.choice((10, 3000)))})


def _escapes(rng: Random, specimen: Specimen) -> Specimen:
    r"""Half surrogate pairs and odd escapes, written as `\u` sequences."""
    escape = rng.choice((
        b"\\ud800", b"\\udfff", b"\\ud83d\\ud83d", b"\\udc00\\ud800", b"\\u0000", b"\\ud83d\\ude00", b"\\uD8", b"\\x41", b"\\u+123",
        b"\\ud800" * 500, b"\\uffff", b"\\ufdd0",
    ))  # fmt: skip
    value = specimen.value or b""
    quotes = [at for at, byte in enumerate(value[:3000]) if byte == ord('"')]
    if not quotes:
        return specimen
    at = rng.choice(quotes)
    return replace(specimen, value=value[: at + 1] + escape + value[at + 1 :])


MUTATORS = (
    Mutator("wrong types", of_body(_wrong_type), share=3),
    Mutator("every field of one type", of_body(_every_field_of_a_type)),
    Mutator("missing fields", of_body(_missing), share=2),
    Mutator("foreign fields", of_body(_foreign)),
    Mutator("field names in other letters", of_body(_in_other_letters)),
    Mutator("not an object", of_body(_no_object)),
    Mutator("values not allowed", of_body(_bad_enumeration)),
    Mutator("odd times", of_body(_odd_time), share=2),
    Mutator("lengths about the limits", of_body(_length), share=0.7),
    Mutator("attributes", of_body(_attributes), topics=("listings",)),
    Mutator("numbers that grow when written", _whole_numbers_as_floats, topics=("listings",), share=0.05),
    Mutator("deep nesting", _deep, share=2),
    Mutator("numbers", _number, share=2),
    Mutator("members twice", _twice, share=2),
    Mutator("many members", of_body(_many), share=0.2),
    Mutator("escapes and half surrogates", _escapes, share=2),
)
