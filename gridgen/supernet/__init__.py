"""What comes of a supernet: scores of its sub-networks without training, the best of them, and how
far all that can be trusted.
"""
