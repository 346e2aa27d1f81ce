"""What stands on stderr: lines in a log, a bar on a terminal."""

import io
import re
import time

import pytest

from gridgen.training.loop import progress
from gridgen.training.loop.progress import ProgressBar, ProgressLines, on_stderr
from gridgen.training.tasks import Restoration, Segmentation

LOSS = {"step": 20.0, "learning_rate": 0.01, "loss": 2.43212}
PACED = {**LOSS, "images_per_second": 11.27, "waiting": 0.0629}


class Asked:
    """As much of a run as a watch asks for."""

    def __init__(self, task=None, epochs=12, machine=None, warmup=0) -> None:
        self.task = task or Segmentation(("a", "b"), ((0, 0, 0), (1, 1, 1)))
        self.recipe = self
        self.epochs, self.shaped_until = epochs, warmup
        self.facts, self.machine = self, machine


class Clock:
    """Time that goes by when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The lines that were drawn, without colours."""
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())
        return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


@pytest.fixture
def screen(monkeypatch):
    def of(width: int) -> Screen:
        for name, value in (("COLUMNS", str(width)), ("TERM", "xterm"), ("LINES", "40")):
            monkeypatch.setenv(name, value)
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        made = Screen()
        monkeypatch.setattr("sys.stderr", made)
        return made

    return of


def open_in_vain() -> None:
    with on_stderr() as watch:
        watch.opening("streets")
        raise ValueError("no")


def test_a_log_has_a_line_every_ten_seconds_that_leaves_out_what_is_unknown(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(), 408, 0, 0)
    for step in range(1, 26):
        clock.now += 1
        if step == 20:
            lines.paced(PACED)
        lines.stepped(step)
    assert capsys.readouterr().err.splitlines() == [
        "step 11/408  6:37 left",
        "step 22/408  loss 2.432  11.3 images/s, 6% waiting for data  6:26 left",
    ]


def test_the_first_step_which_may_compile_is_left_out_of_the_time_left(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(), 100, 0, 0)
    clock.now = 60
    lines.stepped(1)
    clock.now = 71
    lines.stepped(12)
    assert capsys.readouterr().err == "step 1/100\nstep 12/100  1:28 left\n"


def told_of_length(clock, capsys, *, seconds, machine="cpu, 2 cores", epochs=400, done=0, warmup=0):
    """What is told, but for the steps, of 4,000 steps of so many seconds."""
    lines = ProgressLines()
    lines.started(Asked(epochs=epochs, machine=machine, warmup=warmup), 4000, done, 0)
    for step in range(done + 1, done + 41):
        clock.now += seconds
        lines.stepped(step)
    said = capsys.readouterr().err.splitlines()
    return [line for line in said if not line.startswith(("step", "going on"))]


def test_hours_on_a_cpu_are_told_once_after_the_first_steps_with_the_ways_out(clock, capsys):
    pace = "at the pace of its first steps this takes"
    faster = "a lower recipe.batch or recipe.crop.size, or a smaller network, quickens steps"
    assert told_of_length(clock, capsys, seconds=4) == [
        f"{pace} 4:26:24 on a CPU; --set recipe.epochs=90 takes an hour; {faster}"
    ]
    assert told_of_length(clock, capsys, seconds=4, warmup=90) == [
        f"{pace} 4:26:24 on a CPU; {faster}"
    ]
    assert told_of_length(clock, capsys, seconds=60, epochs=1) == [
        f"{pace} 66:38:00 on a CPU; {faster}"
    ]


@pytest.mark.parametrize(
    "other",
    [{"seconds": 0.85}, {"machine": "cuda, H100"}, {"machine": None}, {"done": 100}],
    ids=str,
)
def test_nothing_is_told_of_what_is_short_or_on_a_gpu_or_goes_on(other, clock, capsys):
    assert told_of_length(clock, capsys, **({"seconds": 4} | other)) == []


def test_a_resumed_run_reckons_from_where_it_went_on(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(), 100, 90, 0)
    for step in (91, 92):
        clock.now += 11
        lines.stepped(step)
    assert capsys.readouterr().err.splitlines() == [
        "going on after step 90 of 100",
        "step 91/100",
        "step 92/100  1:28 left",
    ]


def test_a_run_that_is_done_says_nothing_of_going_on(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(), 100, 100, 0)
    lines.finished()
    assert capsys.readouterr().err == ""


def test_a_long_validation_and_a_long_count_are_no_silence(clock, capsys):
    lines = ProgressLines()
    for what, last in ((lines.counted, 30), (lambda *n: lines.scoring("held out", *n), 15)):
        for done in range(1, last):
            clock.now += 1
            what(done, 500)
    assert capsys.readouterr().err.splitlines() == [
        "counting labels 11/500",
        "counting labels 22/500",
        "scoring held out 4/500",
    ]


def test_validations_lie_below_each_other(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(epochs=100), 408, 0, 0)
    for epoch, loss, held_out in ((4, 2.4321, 0.2221), (100, 0.9, 0.35)):
        lines.scored({"epoch": epoch, "loss": loss, "val_iou": 0.28, "holdout_iou": held_out})
    assert capsys.readouterr().err.splitlines() == [
        "epoch   4/100  loss 2.432   val IoU 0.280  held out 0.222",
        "epoch 100/100  loss 0.9000  val IoU 0.280  held out 0.350",
    ]


def test_a_restoration_is_told_in_its_own_unit(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(Restoration(), 4), 8, 0, 0)
    lines.scored({"epoch": 2, "loss": 0.0302, "val_psnr": 27.251})
    assert capsys.readouterr().err == "epoch 2/4  loss 0.03020  val PSNR 27.3 dB\n"


def test_reading_is_told_of_where_it_takes_long(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SLOW_SECONDS", 0.01)
    with on_stderr() as lines:
        lines.opening("streets")
        time.sleep(0.2)
    assert capsys.readouterr().err == "reading streets\n"


def test_reading_that_fails_at_once_is_not_told_of(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SLOW_SECONDS", 0.05)
    with pytest.raises(ValueError, match="no"):
        open_in_vain()
    time.sleep(0.15)
    assert capsys.readouterr().err == ""


def test_the_end_says_what_held_it_up_where_it_was_long(clock, capsys):
    lines = ProgressLines()
    lines.started(Asked(), 20, 0, 0)
    lines.paced({**PACED, "waiting": 0.5})
    clock.now = 59
    lines.finished()
    assert capsys.readouterr().err == ""
    clock.now = 61
    lines.finished()
    assert capsys.readouterr().err.startswith("50% of the time was spent waiting for data; raise")


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_the_bar_is_one_line_however_narrow_the_terminal(width, screen):
    drawn = screen(width)
    with on_stderr() as bar:
        assert isinstance(bar, ProgressBar)
        bar.opening("a/[bold]long/path/streets")
        bar.started(Asked(), 15200, 1200, 0)
        bar.paced(PACED)
        for step in (1201, 1202):
            bar.stepped(step)
        bar.bar.refresh()
    bars = [line for line in drawn.shown() if not line.startswith("going on")]
    assert max(map(len, bars)) <= width
    last = next(line for line in reversed(drawn.shown()) if "step 1202/15200" in line)
    assert last.endswith(" left") == (width > 30)
    assert ("loss 2.432" in last) == (width >= 60)
    assert ("11.3 images/s, 6% waiting" in last) == (width >= 80)


def test_lines_stay_above_the_bar_which_goes(screen):
    drawn = screen(80)
    with on_stderr() as bar:
        bar.started(Asked(), 408, 0, 0)
        bar.stepped(1)
        bar.scoring("val", 3, 101)
        bar.bar.refresh()
        bar.scored({"epoch": 4, "loss": 2.4321, "val_iou": 0.28})
        bar.finished()
    assert any(line.startswith("scoring val 3/101") for line in drawn.shown())
    assert "epoch  4/12  loss 2.432   val IoU 0.280" in drawn.shown()
    assert drawn.getvalue().rstrip().endswith("\x1b[2K")
    assert "\x1b[?25h" in drawn.getvalue()


def test_an_error_leaves_the_terminal_as_it_was(screen):
    drawn = screen(80)
    with pytest.raises(ValueError, match="no"):
        open_in_vain()
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert drawn.getvalue().rindex(shown) > drawn.getvalue().rindex(hidden)
