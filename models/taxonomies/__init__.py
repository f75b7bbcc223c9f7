"""Topics: their file and its history, what they are worth from words alone, and what they learn from labels."""
