"""The program `gridgen`: its commands, and the one place where errors are printed."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import ENOSPC
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from gridgen import __version__
from gridgen.cli import (
    calibrate,
    comparisons,
    convert,
    count,
    data,
    export,
    listing,
    network,
    paths,
    search,
    studies,
    study_folder,
    supernet,
    topologies,
    train,
    trained,
)
from gridgen.cli.terminal import RECIPE, setting_for
from gridgen.errors import SYNONYMS, GridgenError
from gridgen.names import escaped
from gridgen.shown import escaped_output
from gridgen.spec import GridSpec
from gridgen.spec.facts import fact_of

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="gridgen",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Square brackets in help texts and messages are ours, not markup of rich.
    rich_markup_mode=None,
)
COMMANDS: dict[str, Callable[..., int | None]] = {
    "render": network.render,
    "count": count.count,
    "paths": paths.paths,
    "lint": network.lint,
    "calibrate": calibrate.calibrate,
    "relate": comparisons.relate,
    "diff": comparisons.diff,
    "build": network.build,
    "convert": convert.convert,
    "train": train.train,
    "evaluate": trained.evaluate,
    "predict": trained.predict,
    "report": trained.report,
    "export": export.export,
    "feasible": studies.feasible,
    "search": search.search,
    "study": study_folder.study,
    "topologies": topologies.topologies,
    "list": listing.list_names,
    "schema": listing.schema,
    "new": listing.new,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(data.app, name="data")
app.add_typer(supernet.app, name="supernet")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gridgen {__version__}")
        raise typer.Exit


@app.callback()
def _gridgen(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Explore grid-shaped networks for dense prediction."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 when done, 2 for what the user can put right."""
    for name in ("stdout", "stderr"):
        # Python has None where a shell closed it by >&-; what is printed there is lost, no more.
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    warnings.showwarning = _warn
    code = run(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us has gone
        _mute()
    except OSError as error:
        code = code or _unprinted(error)
    sys.exit(code)


def _unprinted(error: OSError) -> int:
    """All was done, but what came of it could not be printed."""
    _mute()
    with suppress(OSError):
        print(f"What was found cannot be printed: {error.strerror}.", file=sys.stderr)
    return USAGE_ERROR


def _mute() -> None:
    """Print no more: Python would try again at exit, and tell of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(arguments: list[str]) -> int:
    """The exit code of `gridgen` with `arguments`. Bugs of ours pass through, with a traceback."""
    with escaped_output():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        code = typer.main.get_command(app).main(
            # Typer in standalone mode would print errors and exit by itself, with codes of its own.
            arguments or ["--help"],
            "gridgen",
            standalone_mode=False,
        )
    except GridgenError as error:
        with suppress(OSError):
            print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # A full disk under a redirected stdout has no file name; other files name theirs.
        if error.errno != ENOSPC or error.filename is not None:
            raise
        return _unprinted(error)
    except typer.TyperException as error:
        print(_usage(error, arguments), file=sys.stderr)
        return USAGE_ERROR
    except SystemExit:  # only typer's, where whoever read us has gone
        return 0
    if code == INTERRUPTED:
        print("stopped", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException, arguments: list[str]) -> str:
    """What is wrong with the command line, and where to read how it is written."""
    wrong = error.__cause__
    if isinstance(wrong, ValidationError):
        return f"{_name(error)}: {fact_of(wrong)}"
    # Errors of usage have it; aborts and exits of typer do not.
    told = getattr(error, "format_message", error.__str__)()
    command, options = _called(error, arguments)
    option = str(getattr(error, "option_name", ""))
    field = option.removeprefix("--").replace("-", "_")
    if field != option and option not in options:  # else it lacks its value
        field = SYNONYMS.get(field, field)
        if f"--{field}" in options:
            return f"{command}: {option} is no option; write --{field}"
        if field == "size":  # an image's is meant, more often than the spec's policy
            fix = "leave it out, or write --set size=pad for images that do not fit"
            return f"{command}: {option} is no option; {fix}"
        if field in GridSpec.model_fields:
            return f"{command}: {option} is no option; write --set {field}=..."
        if suggestion := setting_for(field):
            if "--recipe" in options:
                return f"{command}: {option} is no option; write --set {RECIPE}.{field}=..."
            return f"{command}: {option} is no option but {suggestion}"
    return f"{command}: {told.removesuffix('.')}; see {command} --help"


def _called(error: typer.TyperException, arguments: list[str]) -> tuple[str, set[str]]:
    """The command that was called, and its options."""
    context = getattr(error, "ctx", None)
    command: Any = context.command if context else typer.main.get_command(app)
    name = context.command_path if context else "gridgen"
    # Typer does not say of which command an option lacks its value.
    for word in [] if context else arguments:
        if word not in getattr(command, "commands", {}):
            break
        command, name = command.commands[word], f"{name} {word}"
    return name, {each for parameter in command.params for each in parameter.opts}


def _name(error: typer.TyperException) -> str:
    """The option, as it is written, or the argument that has a wrong value."""
    parameter = getattr(error, "param", None)
    options = [option for option in getattr(parameter, "opts", ()) if option.startswith("--")]
    return options[0] if options else str(getattr(parameter, "metavar", None) or "gridgen")


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning on one line, without the place in our code that gave it."""
    # While a bar is drawn, stderr is the one of rich, which obeys control characters.
    print(escaped(f"gridgen: {message}"), file=sys.stderr)
