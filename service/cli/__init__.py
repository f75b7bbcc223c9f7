"""The command line: a thin third entry point beside app and worker."""
