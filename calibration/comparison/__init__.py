"""Two versions on the same items: which is better, and may it be promoted."""
