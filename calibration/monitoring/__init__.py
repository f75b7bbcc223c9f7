"""The day a promise stops holding: drift, estimated performance, alarms with a stated false-alarm rate."""
