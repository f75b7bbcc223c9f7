"""Judgement: a case and a policy in, a decision out."""
