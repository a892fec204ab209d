"""From example files to arrays: readers, splits, sampling, features, vocabularies."""
