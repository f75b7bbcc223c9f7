"""A source's probabilities corrected by its own reviewed items."""
