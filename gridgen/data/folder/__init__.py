"""Folders of images and labels as datasets: where files lie, and what labels store."""

from gridgen.data.folder.classes import ClassList, is_name, read_classes
from gridgen.data.folder.dataset import Folder, unequal
from gridgen.data.folder.initializing import InitializedFolder, init_data
from gridgen.data.folder.settings import FolderSettings, read_settings
from gridgen.data.folder.splitting import split_data

__all__ = [
    "ClassList",
    "Folder",
    "FolderSettings",
    "InitializedFolder",
    "init_data",
    "is_name",
    "read_classes",
    "read_settings",
    "split_data",
    "unequal",
]
