"""A generated marketplace: listings, conversations and pictures with labels, for the demo, training and tests."""
