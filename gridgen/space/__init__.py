"""Search spaces and budgets: which specs a space holds, and which of them a budget allows."""

from gridgen.space.budget import Budget as Budget
from gridgen.space.choices import Choices as Choices, Range as Range, Space as Space
from gridgen.space.feasible_set import Feasible as Feasible
from gridgen.space.matching import Match as Match, matched as matched
from gridgen.space.selection import feasible as feasible
