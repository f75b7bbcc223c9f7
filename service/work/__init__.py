"""Work items: made from decisions, moved by events, measured against their targets."""
