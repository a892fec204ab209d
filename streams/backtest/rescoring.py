"""Scores for past predictions that models in this process make, where none is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from streams.backtest.predicted import Predicted, picture_less_features, window_features
from streams.features.tensors import ListingFeatures, WindowFeatures
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.inference.in_process import InProcessModel


class Rescorer:
    """Runs the models that are given, by the version that they stand for, on masked input.

    `even_recorded`: also where the prediction has the version's score. Not for two threads at once.
    """

    def __init__(
        self,
        models: Mapping[ModelVersion, InProcessModel],
        text: TextPipeline,
        *,
        even_recorded: bool = False,
    ) -> None:
        self._models = models
        self._text = text
        self._even_recorded = even_recorded

    def scores(
        self, events: Sequence[Predicted], wanted: Sequence[Sequence[ModelVersion]]
    ) -> list[dict[ModelVersion, float | None]]:
        """For each event the scores made now of the versions wanted for it; those that are recorded are left out."""
        made: list[dict[ModelVersion, float | None]] = [{} for _ in events]
        places: dict[ModelVersion, list[int]] = defaultdict(list)
        for place, (event, versions) in enumerate(zip(events, wanted, strict=True)):
            for version in dict.fromkeys(versions):
                recorded = event.scores.get(version) is not None
                if version in self._models and (self._even_recorded or not recorded):
                    places[version].append(place)
        features: dict[int, WindowFeatures | ListingFeatures | None] = {}
        for place in sorted({place for members in places.values() for place in members}):
            features[place] = self._features(events[place])
        for version, members in places.items():
            usable = [(place, row) for place in members if (row := features[place]) is not None]
            answers = self._models[version].scores([row for _, row in usable])
            for (place, _), score in zip(usable, answers, strict=True):
                made[place][version] = score
        return made

    def _features(self, event: Predicted) -> WindowFeatures | ListingFeatures | None:
        if event.subject.kind == "message":
            return window_features(event.shown, self._text)
        return picture_less_features(event.shown, self._text)
