"""From drawn records to what people say about them, blind."""
