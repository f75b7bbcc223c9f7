"""What may pass by itself, and who changed it."""
