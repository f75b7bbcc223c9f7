"""Arrays, labels and probabilities in, numbers out: what a promise is worth. Knows no request and no row."""
