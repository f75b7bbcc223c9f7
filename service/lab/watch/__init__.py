"""Promises watched, week by week, and how each stands."""
