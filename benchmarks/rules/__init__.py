"""How fast the rule engine is, beside other ways to do the same, on real text."""
