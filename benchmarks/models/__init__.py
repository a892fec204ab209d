"""Models on public data: each benchmark leaves a JSON file, `report` makes docs/results.md of them."""
