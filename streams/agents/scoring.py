"""The models' step for a batch of cases: pictures to embeddings, then every wanted model, within the deadline."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from streams import metrics
from streams.agents.pace import Pace
from streams.conclusion import Outcomes
from streams.features.images import LoadedImage
from streams.features.tensors import ListingFeatures, WindowFeatures
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion, Scorer
from streams.screening import Case

#: Embeddings kept by the picture's digest: sellers relist the same picture. 1280 floats are 5 kB, so 10 MB in all.
REMEMBERED_EMBEDDINGS = 2_000

#: As many as there are calls to one model at once (`inference.calls.MOST_IN_FLIGHT`): more would only wait for those.
PARTS_AT_ONCE = 4

#: The part of a batch's time that its pictures have. Of the 5 s that an event has these are 3 s, the time of one image
#: (`SEKISHO_IMAGE_TIMEOUT_S`), and leave 2 s for the models, the time of one call to Triton.
PICTURES_SHARE = 0.6
#: Of a picture that was not there by then.
TOO_LATE = "image_timeout"

Embedding = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the models said of one case, and what is to be noted about its picture."""

    outcomes: Outcomes
    notes: tuple[str, ...] = ()


class ModelStep:
    """Scores batches of cases. One per process, shared by the lanes, so that the embeddings are shared too.

    At most `PARTS_AT_ONCE` parts of batches are with the models; a slow server gets smaller parts (`pace`).
    """

    def __init__(self, scorer: Scorer, *, deadline_s: float, batch_rows: int) -> None:
        self._scorer = scorer
        self._deadline_s = deadline_s
        self._pace = Pace.full(batch_rows, aim_s=deadline_s / 5)
        self._turns = asyncio.Semaphore(PARTS_AT_ONCE)
        self._embeddings: OrderedDict[str, Embedding] = OrderedDict()

    async def score(self, cases: Sequence[Case], *, waited_s: float = 0.0) -> list[Scores]:
        """One `Scores` per case. Never raises for what servers do; a deadline that passes is a failure that may pass.

        What the cases have waited for their turn counts, up to half of the deadline: less than the other half would
        only make Triton begin what nobody waits for. A listing whose picture is not there in time fails for now; when it
        has been put aside before, it is scored without.
        """
        left_s = self._deadline_s - min(waited_s, self._deadline_s / 2)
        now_s = asyncio.get_running_loop().time()
        until_s = now_s + left_s
        pictures = await self._pictures(cases, until_s=now_s + PICTURES_SHARE * left_s)
        scores: list[Scores] = []
        while len(scores) < len(cases):
            part = slice(len(scores), len(scores) + self._pace.rows)
            scores += await self._score_part(cases[part], pictures[part], until_s=until_s)
        return scores

    async def _score_part(
        self,
        cases: Sequence[Case],
        pictures: Sequence[tuple[str, npt.NDArray[np.uint8]] | None],
        *,
        until_s: float,
    ) -> list[Scores]:
        """As many as may go together. `until_s` by the loop's clock."""
        clock = asyncio.get_running_loop().time
        # What cannot be answered in time is not begun. Asked before as well: a turn that is free is taken at any time.
        latest_s = until_s - self._pace.aim_s
        if clock() > latest_s:
            return _too_late(cases)
        try:
            async with asyncio.timeout_at(latest_s):
                await self._turns.acquire()
        except TimeoutError:
            return _too_late(cases)
        began_s = clock()
        try:
            async with asyncio.timeout_at(until_s):
                scores = await self._score(cases, pictures)
        except TimeoutError:
            scores = _too_late(cases)
        finally:
            self._turns.release()
        answered = any(isinstance(o, ModelScore) for each in scores for o in each.outcomes.values())
        self._pace = self._pace.after(len(cases), clock() - began_s, answered=answered)
        return scores

    async def _score(
        self, cases: Sequence[Case], pictures: Sequence[tuple[str, npt.NDArray[np.uint8]] | None]
    ) -> list[Scores]:
        embedded = await self._embed(cases, pictures)
        groups: defaultdict[tuple[type, tuple[ModelVersion, ...]], list[int]] = defaultdict(list)
        results: list[Scores | None] = [None] * len(cases)
        rows: list[WindowFeatures | ListingFeatures | None] = []
        notes: list[tuple[str, ...]] = []
        for index, case in enumerate(cases):
            picture = embedded[index]
            image_notes = _image_notes(case)
            features = case.features
            if isinstance(picture, ModelFailure):
                if picture.retriable and case.wanted:
                    results[index] = _failed(case, picture, image_notes)
                image_notes = (*image_notes, f"image_not_encoded:{picture.reason}")
            elif picture is None and TOO_LATE in image_notes and case.wanted and not case.attempts:
                # A worker with too much to do, right after a rebalance for one, is late with pictures that lie at hand.
                # What the text alone does not show would be a violation that nobody sees, so it is tried once more.
                results[index] = _failed(case, ModelFailure(TOO_LATE, retriable=True), image_notes)
            elif picture is not None and isinstance(features, ListingFeatures):
                features = replace(features, image=picture)
            rows.append(features)
            notes.append(image_notes)
            if results[index] is None:
                models = tuple(dict.fromkeys(wanted.model for wanted in case.wanted))
                if models:
                    groups[type(features), models].append(index)
                else:
                    results[index] = Scores({}, image_notes)
        answers = await asyncio.gather(
            *(
                self._score_group(kind, [rows[i] for i in members], models)
                for (kind, models), members in groups.items()
            )
        )
        for members, outcomes in zip(groups.values(), answers, strict=True):
            for index, outcome in zip(members, outcomes, strict=True):
                results[index] = Scores(outcome, notes[index])
        return [result for result in results if result is not None]

    async def _score_group(
        self,
        kind: type,
        rows: Sequence[WindowFeatures | ListingFeatures | None],
        models: Sequence[ModelVersion],
    ) -> Sequence[Outcomes]:
        if kind is WindowFeatures:
            return await self._scorer.score_messages(
                [r for r in rows if isinstance(r, WindowFeatures)], models
            )
        return await self._scorer.score_listings([r for r in rows if isinstance(r, ListingFeatures)], models)

    async def _pictures(
        self, cases: Sequence[Case], *, until_s: float
    ) -> list[tuple[str, npt.NDArray[np.uint8]] | None]:
        """The decoded picture of each case, None without one; one that is not there by `until_s` is given up.

        Loading began when the case was examined. It has a time limit for every address, and a turn to wait for: a host
        that accepts and says nothing would hold a batch, and all behind it, for minutes.
        """
        loading = [case.image for case in cases if case.image is not None]
        if loading:
            left_s = until_s - asyncio.get_running_loop().time()
            await asyncio.wait(loading, timeout=max(0.0, left_s))
        pictures: list[tuple[str, npt.NDArray[np.uint8]] | None] = []
        for case in cases:
            if case.image is not None and not case.image.done():
                case.image.cancel()
            loaded = _loaded(case)[0]
            pictures.append(None if loaded is None else (loaded.digest, loaded.pixels))
        return pictures

    async def _embed(
        self, cases: Sequence[Case], pictures: Sequence[tuple[str, npt.NDArray[np.uint8]] | None]
    ) -> list[Embedding | ModelFailure | None]:
        # What is remembered now may be forgotten while the others are embedded: other parts remember theirs meanwhile.
        known: dict[str, Embedding | ModelFailure] = {}
        missing: dict[str, npt.NDArray[np.uint8]] = {}
        for digest, pixels in filter(None, pictures):
            if digest in self._embeddings:
                self._embeddings.move_to_end(digest)
                known[digest] = self._embeddings[digest]
            else:
                missing[digest] = pixels
        if missing:
            for digest, answer in zip(missing, await self._scorer.embed(list(missing.values())), strict=True):
                known[digest] = answer
                if not isinstance(answer, ModelFailure):
                    self._embeddings[digest] = answer
        while len(self._embeddings) > REMEMBERED_EMBEDDINGS:
            self._embeddings.popitem(last=False)
        return [None if picture is None else known[picture[0]] for picture in pictures]


def _too_late(cases: Sequence[Case]) -> list[Scores]:
    return [_failed(case, ModelFailure("deadline", retriable=True), _image_notes(case)) for case in cases]


def without_scores(case: Case) -> Scores:
    """What there is to say of a case that is not scored now, but may be later. Its picture is let go."""
    if case.image is not None:
        case.image.cancel()
    failure = ModelFailure("deadline", retriable=True)
    return Scores({wanted.model: failure for wanted in case.wanted})


def _loaded(case: Case) -> tuple[LoadedImage | None, tuple[str, ...]]:
    """The picture and the notes of those before it; of one that was given up there is neither."""
    if case.image is None:
        return None, ()
    if not case.image.done() or case.image.cancelled():
        return None, (TOO_LATE,)
    return case.image.result()


def _image_notes(case: Case) -> tuple[str, ...]:
    if case.image is None:
        return ()
    loaded, notes = _loaded(case)
    metrics.IMAGES.labels(outcome="loaded" if loaded is not None else "none").inc()
    return notes


def _failed(case: Case, failure: ModelFailure, notes: tuple[str, ...]) -> Scores:
    return Scores({wanted.model: failure for wanted in case.wanted}, notes)
