"""Search spaces and budgets: which specs a space holds, and which of them a budget allows."""

from gridgen.space.budget import Budget
from gridgen.space.choices import Choices, Range, Space
from gridgen.space.feasible_set import Feasible
from gridgen.space.matching import Match, matched
from gridgen.space.selection import feasible
