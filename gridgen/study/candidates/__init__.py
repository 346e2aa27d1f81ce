"""From points of a study's space to candidates: what they cost, which meet the budget."""
