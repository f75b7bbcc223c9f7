"""Files of labels in, gold out."""
