"""Rules and policy as one unit: checked together in a child process, swapped together in the worker."""

from streams.rulebook.live import LiveRulebook, Rulebook, RulebookRefused, RulebookSource
from streams.rulebook.status import status

__all__ = ["LiveRulebook", "Rulebook", "RulebookRefused", "RulebookSource", "status"]
