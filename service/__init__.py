"""The service: ingest, classify, route, deliver, each step a row."""
