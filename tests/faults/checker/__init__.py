"""The checker: reads every topic after a campaign and proves what was promised, by its own simple means.

Nothing here knows how the engine works; it shares no code with it.
"""
