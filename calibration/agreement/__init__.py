"""How far people agree, with each other and with the model."""
