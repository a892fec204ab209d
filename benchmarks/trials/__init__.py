"""How often a comparison of champion and challenger misleads."""
