"""Lints: what a network will do that its author may not want, found by arithmetic alone.

Each is a function from a case (a grid, an image size, a batch) to findings; a finding says what is
so, where, and the change that removes it. Nothing here builds a network or says what is well made.
"""

from gridgen.analysis.lints.case import Case as Case, Finding as Finding, Fix as Fix
from gridgen.analysis.lints.names import LINTS as LINTS, lint as lint, lint_case as lint_case
