"""Image files: what they store, and the rules that make images and labels of it."""

from gridgen.images.files import (
    read_header as read_header,
    read_image as read_image,
    read_label as read_label,
)
from gridgen.images.header import Window as Window
from gridgen.images.writing import write_image as write_image
