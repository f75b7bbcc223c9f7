"""Which items to label, and what a sample says about the whole."""
