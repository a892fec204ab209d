"""A load test of a running deployment: events at a rate, what comes of each and when, and a verdict."""
