"""Tests of the benchmarks' own arithmetic, and that the page of results is what their files give."""
