"""Thresholds of adaptive budgets that held again long after their time."""
