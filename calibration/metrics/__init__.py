"""How good probabilities are, each figure beside its noise floor."""
