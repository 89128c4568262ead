"""Computations over finished runs, on request; their results are kept outside the records."""
