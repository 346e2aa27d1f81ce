"""Image files: what they store, and the rules that make images and labels of it."""

from gridgen.images.files import read_header, read_image, read_label
from gridgen.images.header import Window
from gridgen.images.writing import write_image

__all__ = ["Window", "read_header", "read_image", "read_label", "write_image"]
