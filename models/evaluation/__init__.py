"""How good scores are, with intervals, and the report a reader can act on."""
