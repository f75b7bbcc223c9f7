"""Benchmarks of an installation of their own: side by side in one run, ratios first, nothing left behind."""
