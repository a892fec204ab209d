"""Thresholds that keep a domain's alerts at what its moderators can review (pure)."""
