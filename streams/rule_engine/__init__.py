"""Keyword rules: text views, the rule language, compile, match, check, reload."""
