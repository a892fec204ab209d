"""Splits examples by time, so that a model is judged on what came after what it learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.data.examples import PARTS, ExampleError, Part
from models.data.facts import ExampleFacts


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the latest examples that validate and test, where the data is one file."""

    validation: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        if self.validation <= 0 or self.test < 0 or self.validation + self.test >= 1:
            raise ValueError(
                "validation must be above 0, test not below, and something must be left to train on"
            )


def split_by_time(facts: Sequence[ExampleFacts], split: Split) -> list[Part]:
    """The part of each example: the earliest train, the latest test.

    A transaction stays whole, in the part of its first window: windows share messages, so one that straddled a
    boundary would be learnt by heart. What has the same time stays together too. The shares are therefore met from
    below for the later parts. Raises ExampleError for an example without a time, and where a part stays empty.
    """
    if not facts:
        raise ExampleError("no examples to split")
    begins: dict[str, float] = {}
    sizes: dict[str, int] = {}
    groups = [one.subject or one.place for one in facts]
    for one, group in zip(facts, groups, strict=True):
        if one.at is None:
            raise ExampleError(
                f"{one.place}: no time (sent_at of the last message, updated_at of a listing), so the file cannot be "
                "split by time; add it, or split the data yourself into train, valid and test"
            )
        begins[group] = min(begins.get(group, one.at), one.at)
        sizes[group] = sizes.get(group, 0) + 1
    ends = {"train": (1 - split.validation - split.test) * len(facts), "valid": (1 - split.test) * len(facts)}
    chosen: dict[str, Part] = {}
    part: Part = "train"
    before, done = float("-inf"), 0
    for group in sorted(begins, key=lambda name: (begins[name], name)):
        if begins[group] > before:
            part = next((name for name in PARTS[:2] if done < ends[name] - 1e-9), "test")
        chosen[group] = part
        before, done = begins[group], done + sizes[group]
    wanted = PARTS if split.test else PARTS[:2]
    if missing := [name for name in wanted if name not in chosen.values()]:
        raise ExampleError(
            f"{facts[0].place}: split by time, {' and '.join(missing)} would stay empty: {len(facts)} examples of "
            f"{len(begins)} transactions or listings at {len(set(begins.values()))} different times are too few"
        )
    return [chosen[group] for group in groups]
