"""All that `gridgen` exports, and the modules that it comes from."""

from gridgen.analysis import (
    Count as Count,
    count as count,
)
from gridgen.analysis.breakdown import breakdown as breakdown
from gridgen.analysis.differences import diff as diff
from gridgen.analysis.lints import (
    Finding as Finding,
    lint as lint,
)
from gridgen.analysis.paths import (
    Paths as Paths,
    paths as paths,
)
from gridgen.analysis.receptive import (
    receptive_field as receptive_field,
    receptive_fields as receptive_fields,
)
from gridgen.analysis.relations import relate as relate
from gridgen.architectures import load_spec as load_spec
from gridgen.data import load_dataset as load_dataset
from gridgen.data.check import check_data as check_data
from gridgen.data.folder import (
    init_data as init_data,
    split_data as split_data,
)
from gridgen.emit import (
    FeatureMaps as FeatureMaps,
    GridNetwork as GridNetwork,
    Inheritance as Inheritance,
    create_model as create_model,
    inherit as inherit,
    list_models as list_models,
    load_network as load_network,
    reset_head as reset_head,
    save_network as save_network,
)
from gridgen.errors import GridgenError as GridgenError
from gridgen.export import export_network as export_network, source_of as source_of
from gridgen.grid import (
    Connection as Connection,
    CustomTopology as CustomTopology,
    Draft as Draft,
    DraftSpec as DraftSpec,
    FeatureMap as FeatureMap,
    Grid as Grid,
    GridSpec as GridSpec,
    build_grid as build_grid,
    keep as keep,
    prune as prune,
)
from gridgen.grid.subtopologies import (
    Subtopology as Subtopology,
    count_subtopologies as count_subtopologies,
    subtopologies as subtopologies,
)
from gridgen.images import (
    read_image as read_image,
    read_label as read_label,
    write_image as write_image,
)
from gridgen.latency import LayerTimes as LayerTimes
from gridgen.layouts import Converted as Converted, convert as convert
from gridgen.memory import (
    Memory as Memory,
    Setting as Setting,
    count_memory as count_memory,
)
from gridgen.pages import write_report as write_report
from gridgen.project import new_project as new_project
from gridgen.registries import (
    list_names as list_names,
    schema as schema,
)
from gridgen.render import (
    Picture as Picture,
    draw as draw,
    draw_difference as draw_difference,
    draw_overlay as draw_overlay,
    draw_paths as draw_paths,
    draw_unit as draw_unit,
)
from gridgen.space import (
    Budget as Budget,
    Feasible as Feasible,
    feasible as feasible,
)
from gridgen.space.matching import Match as Match, matched as matched
from gridgen.study import (
    Study as Study,
    search as search,
)
from gridgen.study.engine.ray_cluster import RayCluster as RayCluster
from gridgen.study.ensembles import study_ensemble as study_ensemble
from gridgen.study.looking import (
    export_study as export_study,
    study_best as study_best,
    study_status as study_status,
)
from gridgen.study.store import repair_study as repair_study, retry_study as retry_study
from gridgen.supernet.check import check_supernet as check_supernet
from gridgen.supernet.choosing import supernet_front as supernet_front
from gridgen.supernet.page import write_supernet_page as write_supernet_page
from gridgen.supernet.plan import train_supernet as train_supernet
from gridgen.supernet.scoring import (
    SubnetworkScore as SubnetworkScore,
    score_subnetworks as score_subnetworks,
    take_subnetwork as take_subnetwork,
)
from gridgen.supernet.searching import search_by_supernet as search_by_supernet
from gridgen.tabular import (
    TopologyBenchmark as TopologyBenchmark,
    topology_benchmark as topology_benchmark,
)
from gridgen.tabular.page import write_topologies_page as write_topologies_page
from gridgen.tabular.simulation import simulate_searches as simulate_searches
from gridgen.training import (
    Evaluation as Evaluation,
    Inference as Inference,
    Model as Model,
    Recipe as Recipe,
    Run as Run,
    calibrate as calibrate,
    evaluate as evaluate,
    export_model as export_model,
    infer as infer,
    load_inference as load_inference,
    load_recipe as load_recipe,
    open_ensemble as open_ensemble,
    open_model as open_model,
    predict as predict,
    resume as resume,
    train as train,
)
from gridgen.training.loop.latency import (
    LatencySetting as LatencySetting,
    measure_latency as measure_latency,
)
from gridgen.training.loop.layer_timing import calibrate_latency as calibrate_latency

__version__: str
__all__: list[str]
