"""Text in, belief out: classifiers, taxonomies and their words. Knows no feedback, database or web."""
