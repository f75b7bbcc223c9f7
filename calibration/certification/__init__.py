"""From raw labels to gold, and from gold to a promise or a refusal that says what is missing."""
