"""Moderators' verdicts joined with the predictions they judge: the next training set."""
