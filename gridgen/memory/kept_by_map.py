"""What a training step keeps for its backward pass, by the map whose computation keeps it."""

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.tracing import Size
from gridgen.memory.layers import Recorder
from gridgen.memory.recording import recording_of
from gridgen.memory.replay import Replay
from gridgen.memory.setting import Setting
from gridgen.program import compile_program
from gridgen.program.operations import written_by


def kept_by_map(grid: Grid, size: Size, setting: Setting) -> dict[FeatureMap, int]:
    """Bytes for each map, those of its connections and of its own layers; each storage once, where
    it is kept first.

    What stem and head keep is left out. Errors: `SizeError`.
    """
    recorder = Recorder(setting, training=True)
    recording = recording_of(grid, size, recorder)
    replay, done = Replay(recorder.tape), 0
    maps, kept, before = {each.name: each for each in grid.maps}, dict[FeatureMap, int](), 0
    for operation in compile_program(grid, training=True).operations:
        recording.run((operation,))
        for event in recorder.tape.events[done:]:
            replay.run(event, keeping=True)
        done = len(recorder.tape.events)
        for name in maps.keys() & set(written_by(operation)):
            kept[maps[name]] = 0 if maps[name] == grid.input else replay.saved - before
            before = replay.saved
    return kept
