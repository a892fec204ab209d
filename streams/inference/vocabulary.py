"""The words that a model knows, read out of its ONNX file without the packages that training needs (pure).

Only as much of the format is read as is needed: messages of Protocol Buffers are sequences of numbered fields, and
what is not looked for is skipped by its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

#: Numbers of fields in onnx.proto: ModelProto.graph, GraphProto.node, NodeProto.op_type and .attribute,
#: AttributeProto.name and .ints.
_GRAPH, _NODE, _OP_TYPE, _ATTRIBUTE, _NAME, _INTS = 7, 1, 4, 5, 1, 8
#: Wire types.
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_PADDING: Final = 0


class NotAModelError(ValueError):
    """The bytes are no ONNX model; the text says where reading stopped."""


def vocabulary_of(model: bytes) -> npt.NDArray[np.int64] | None:
    """Hashes of the words that the model knows, ascending int64; None where it reads no hashes of words.

    They are the keys of the graph's LabelEncoder, padding left out. Raises `NotAModelError`.
    """
    view = memoryview(model)
    try:
        for graph in _messages(view, _GRAPH):
            for node in _messages(graph, _NODE):
                if any(bytes(name) == b"LabelEncoder" for name in _messages(node, _OP_TYPE)):
                    keys = _keys(node)
                    return np.sort(keys[keys != _PADDING])
    except IndexError:
        raise NotAModelError("the file ends in the middle of a field") from None
    return None


def _keys(node: memoryview) -> npt.NDArray[np.int64]:
    keys: list[int] = []
    for attribute in _messages(node, _ATTRIBUTE):
        if any(bytes(name) == b"keys_int64s" for name in _messages(attribute, _NAME)):
            for number, value in _fields(attribute):
                if number == _INTS and isinstance(value, int):
                    keys.append(value)
                elif number == _INTS and isinstance(value, memoryview):  # packed
                    at = 0
                    while at < len(value):
                        key, at = _varint(value, at)
                        keys.append(key)
    return np.array(keys, np.uint64).astype(np.int64)


def _messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values of a message's fields; values of fixed width are passed over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif wire == _BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise NotAModelError(f"field {number} is longer than what is left of the file")
            yield number, message[at : at + length]
            at += length
        elif wire in (_FIXED_64, _FIXED_32):
            at += 8 if wire == _FIXED_64 else 4
        else:
            raise NotAModelError(f"field {number} has the wire type {wire}, which ONNX does not use")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if value >> 64 or (byte >= 0x80 and shift > 63):
            raise NotAModelError("a number of more than 64 bits")
        if byte < 0x80:
            return value, at
