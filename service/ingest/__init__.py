"""A survey answer becomes a feedback row, once."""
