"""What the product is held against: other ways to the same answer, for tests and benchmarks.

A network written by hand, formulas on paper, what torch itself counts and allocates, a network
whose connections bring nothing, all paths one by one, and trainings that are killed.
"""
