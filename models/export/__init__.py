"""Trained networks to the files of the model repository."""
