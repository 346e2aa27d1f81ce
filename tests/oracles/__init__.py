"""What the product is held against: other ways to the same answer, for tests and benchmarks.

A network written by hand, formulas on paper, what torch itself allocates, all paths one by one, and
trainings that are killed. What the suites of `gridgen.testing` need too is there.
"""
