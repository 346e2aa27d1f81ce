"""All that `gridgen` exports, and the modules that it comes from."""

from gridgen.analysis import Count as Count
from gridgen.analysis import count as count
from gridgen.analysis.breakdown import breakdown as breakdown
from gridgen.analysis.differences import diff as diff
from gridgen.analysis.lints import Finding as Finding
from gridgen.analysis.lints import lint as lint
from gridgen.analysis.paths import Paths as Paths
from gridgen.analysis.paths import paths as paths
from gridgen.analysis.receptive import (
    receptive_field as receptive_field,
)
from gridgen.analysis.receptive import (
    receptive_fields as receptive_fields,
)
from gridgen.analysis.relations import relate as relate
from gridgen.architectures import load_spec as load_spec
from gridgen.data import load_dataset as load_dataset
from gridgen.data.check import check_data as check_data
from gridgen.emit import (
    GridNetwork as GridNetwork,
)
from gridgen.emit import (
    load_network as load_network,
)
from gridgen.emit import (
    save_network as save_network,
)
from gridgen.errors import GridgenError as GridgenError
from gridgen.grid import (
    Connection as Connection,
)
from gridgen.grid import (
    Draft as Draft,
)
from gridgen.grid import (
    FeatureMap as FeatureMap,
)
from gridgen.grid import (
    Grid as Grid,
)
from gridgen.grid import (
    build_grid as build_grid,
)
from gridgen.grid import (
    keep as keep,
)
from gridgen.grid import (
    prune as prune,
)
from gridgen.memory import Memory as Memory
from gridgen.memory import Setting as Setting
from gridgen.memory import count_memory as count_memory
from gridgen.pages import write_report as write_report
from gridgen.project import new_project as new_project
from gridgen.registries import list_names as list_names
from gridgen.registries import schema as schema
from gridgen.render import (
    Picture as Picture,
)
from gridgen.render import (
    draw as draw,
)
from gridgen.render import (
    draw_difference as draw_difference,
)
from gridgen.render import (
    draw_paths as draw_paths,
)
from gridgen.space import Budget as Budget
from gridgen.space import Feasible as Feasible
from gridgen.space import feasible as feasible
from gridgen.spec import (
    CustomTopology as CustomTopology,
)
from gridgen.spec import (
    DraftSpec as DraftSpec,
)
from gridgen.spec import (
    GridSpec as GridSpec,
)
from gridgen.study import Study as Study
from gridgen.study import search as search
from gridgen.training import (
    Evaluation as Evaluation,
)
from gridgen.training import (
    Inference as Inference,
)
from gridgen.training import (
    Model as Model,
)
from gridgen.training import (
    Recipe as Recipe,
)
from gridgen.training import (
    Run as Run,
)
from gridgen.training import (
    calibrate as calibrate,
)
from gridgen.training import (
    evaluate as evaluate,
)
from gridgen.training import (
    export_model as export_model,
)
from gridgen.training import (
    infer as infer,
)
from gridgen.training import (
    load_inference as load_inference,
)
from gridgen.training import (
    load_recipe as load_recipe,
)
from gridgen.training import (
    open_model as open_model,
)
from gridgen.training import (
    predict as predict,
)
from gridgen.training import (
    resume as resume,
)
from gridgen.training import (
    train as train,
)

__version__: str
__all__: list[str]
