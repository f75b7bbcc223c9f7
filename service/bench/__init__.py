"""Benchmarks: ours against a named peer, side by side in one run, ratios first."""
