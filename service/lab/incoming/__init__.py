"""What came in lately: how much, and how sure the model was."""
