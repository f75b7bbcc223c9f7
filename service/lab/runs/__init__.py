"""Labels judged: what they prove, or what is missing."""
