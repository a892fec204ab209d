"""Rules tried on history: what a rule set would have done, beside what the live one did."""
