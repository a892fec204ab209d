"""A generated marketplace: listings, conversations and pictures with labels, for the demo, training and tests.

Everything in it is invented, brands and account numbers included; no claim of quality on real traffic rests on it.
"""

from marketplace.examples import listing_examples, message_examples, windows
from marketplace.reports import with_reports
from marketplace.traffic import Pace, TrafficEvent, traffic

__all__ = [
    "Pace",
    "TrafficEvent",
    "listing_examples",
    "message_examples",
    "traffic",
    "windows",
    "with_reports",
]
