"""Personal data in a text and the text without it: spans found by patterns, placeholders put in their place.

What is masked, what is not, and how often it is right: docs/masking.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from streams.features.normal_form import align, encodable, normalise
from streams.features.patterns import Span, pattern_spans

#: Excerpts end here: rules look through no more of a text, and looking for personal data in the 100,000 characters
#: that a listing may hold takes up to a second.
EXCERPT_END = 10_000
#: What is looked at beyond it, so that a number that goes on there is still one.
_BEYOND = 64


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with placeholders; `spans` say what they stand for, in characters of the original, in order."""

    text: str
    spans: tuple[Span, ...]


def placeholder(kind: str) -> str:
    """What stands in a masked text for personal data of that kind."""
    return f"〈{kind}〉"


@lru_cache(maxsize=8)  # a rule with many hits asks for an excerpt of the same text for each of them
def mask_patterns(text: str) -> Masked:
    """Mask what patterns find (everything but names, which need the tagger: `tokens.TextPipeline`)."""
    text = encodable(text)
    spans = pattern_spans(normalise(text))
    return mask_spans(text, spans) if spans else Masked(text, ())


def mask_spans(text: str, spans: Sequence[Span]) -> Masked:
    """Put placeholders into `text` for spans that are given in characters of its *normal form*."""
    aligned = align(text)
    originals: list[Span] = []
    pieces: list[str] = []
    at = 0
    for span in spans:
        start, end = aligned.span(span.start, span.end)
        originals.append(Span(start, end, span.kind))
        pieces += (text[at:start], placeholder(span.kind))
        at = end
    pieces.append(text[at:])
    return Masked("".join(pieces), tuple(originals))


def masked_excerpt(text: str, start: int, end: int) -> str:
    """`text[start:end]`, the text of a rule's span, with placeholders for the personal data that it touches.

    A span that goes on beyond `EXCERPT_END` ends there, in "…".
    """
    if end > EXCERPT_END:
        return masked_excerpt(text, start, EXCERPT_END) + "…"
    pieces: list[str] = []
    at = start
    for span in mask_patterns(text[: EXCERPT_END + _BEYOND]).spans:
        if span.end > at and span.start < end:
            pieces += (encodable(text[at : max(at, span.start)]), placeholder(span.kind))
            at = span.end
    pieces.append(encodable(text[at:end]))
    return "".join(pieces)
