"""Arrays, labels and probabilities in, numbers out: what a promise is worth. Knows no request and no row.

Functions write `scipy.special.ndtri`, not a name imported from there: a part of SciPy is loaded when it is first used,
and a web process, which mostly shows what was computed, starts without any.
"""
