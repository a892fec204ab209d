"""Whether traffic and models still are what they were: two periods compared by their counts (pure)."""
