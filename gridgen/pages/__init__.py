"""Pages of HTML for people to read: one file each, its pictures inside, no network."""

from gridgen.pages.evaluation import write_evaluation as write_evaluation
from gridgen.pages.report import write_report as write_report
