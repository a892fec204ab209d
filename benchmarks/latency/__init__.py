"""From an event to its alert in a subscriber's hands, at shares of the highest rate that one worker keeps up with."""
