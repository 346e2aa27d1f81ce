"""Folders of images and labels as datasets: where files lie, and what labels store."""

from gridgen.data.folder.classes import (
    ClassList as ClassList,
    is_name as is_name,
    read_classes as read_classes,
)
from gridgen.data.folder.dataset import Folder as Folder, unequal as unequal
from gridgen.data.folder.initializing import (
    InitializedFolder as InitializedFolder,
    init_data as init_data,
)
from gridgen.data.folder.settings import (
    FolderSettings as FolderSettings,
    read_settings as read_settings,
)
from gridgen.data.folder.splitting import split_data as split_data
