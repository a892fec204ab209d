"""The worker's look at words that its models do not know, once an hour, where it can read the models' files."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from streams.agents.background import Background
from streams.agents.word_sampling import NoVocabularyError, vocabularies, word_drift
from streams.drift.periods import last_hours
from streams.drift.words import WordDrift
from streams.features.tokens import TextPipeline
from streams.kafka.clients import BrokerUnreachableError
from streams.policy import Policy
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: 10,000 texts are cut into words each time, 1 to 5 s of a processor: a thousandth of the hour.
LOOK_EVERY_S: Final = 3600.0
#: Of the event loop's time: a text at a time, and then a rest nine times as long.
SHARE: Final = 0.1


class WordWatch:
    """Samples, counts and keeps what it found. `policy` gives the live one."""

    def __init__(
        self,
        settings: Settings,
        *,
        policy: Callable[[], Policy],
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._now_us = now_us
        self._text: TextPipeline | None = None
        self._found: tuple[WordDrift, ...] = ()
        self._unreadable: str | None = None
        self._background = Background("unknown words are no longer counted by this worker")

    def start(self) -> None:
        """Begin to look, in the running event loop."""
        self._background.begin(self._keep_looking())

    async def stop(self) -> None:
        """Stop looking."""
        await self._background.stop()

    def found(self) -> Sequence[WordDrift]:
        """What the last look found; nothing before it, or where the models' files cannot be read."""
        return self._found

    async def look(self) -> None:
        """Sample and count once. Files that cannot be read and a broker that is away are said, and tried again later."""
        try:
            known = await asyncio.to_thread(vocabularies, self._settings.model_repository, self._policy())
        except NoVocabularyError as error:
            self._found = ()
            if str(error) != self._unreadable:  # said once: where Triton is elsewhere that is how it is
                logger.info("unknown words are not counted by this worker: %s", error)
            self._unreadable = str(error)
            return
        self._unreadable = None
        if self._text is None:
            # its own: a tagger is not for two users at once, and this one rests in the middle
            self._text = TextPipeline()
        try:
            self._found = await word_drift(
                self._settings, last_hours(self._now_us()), known, text=self._text, share=SHARE
            )
        except (KafkaError, BrokerUnreachableError) as error:
            logger.warning("unknown words could not be counted this time: %s", error)

    async def _keep_looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)
