"""`sekisho train` and `sekisho evaluate`: the thin shell over training and evaluation."""
