"""The files that come with gridgen beside its code, and folders with copies of them."""

from gridgen.project.shipped import (
    README as README,
    comes_along as comes_along,
    new_project as new_project,
)
