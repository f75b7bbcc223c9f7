"""The demonstration: our own feedback, a fake help desk, the whole road in one command."""
