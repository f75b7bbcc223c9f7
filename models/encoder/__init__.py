"""The shipped model as it is served: weights, session, segments and what it abstains from. Never torch."""
