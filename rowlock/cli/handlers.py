"""The worker of a module that `--handlers` names."""

import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn

from rowlock.cli.connection import fail
from rowlock.cli.exit_codes import USAGE
from rowlock.worker import runner
from rowlock.worker.worker import Worker

# Of the way to the place where the import failed, the end.
FRAMES_SHOWN: Final = 5


def load(place: str) -> Worker:
    """The worker at `MODULE:WORKER`; without a name, the module's `worker`. What is wrong with it
    ends the command."""
    module_name, _, attribute = place.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        with runner.importing():
            module = import_module(module_name)
    except runner.UnguardedRunError as error:
        _fail_unguarded(place, error)
    except (Exception, SystemExit) as error:
        _fail_import(place, module_name, error)
    try:
        found = getattr(module, attribute or "worker")
    except AttributeError as error:
        fail(f"--handlers {place}: {error}", USAGE)
    if not isinstance(found, Worker):
        fail(f"--handlers {place}: must be a rowlock.Worker, not {type(found).__name__}", USAGE)
    if not found.has_handler:
        fail(f"--handlers {place}: the worker has no handler", USAGE)
    return found


def _fail_import(place: str, module_name: str, error: BaseException) -> NoReturn:
    frames = _module_frames(error)
    if frames is None and not isinstance(error, SyntaxError):
        fail(f"--handlers {place}: {error}", USAGE)  # there is no such module
    shown = [
        *traceback.format_tb(frames, -FRAMES_SHOWN),
        *traceback.format_exception_only(error),
    ]
    said = "".join(shown).rstrip()
    fail(f"--handlers {place}: {module_name} cannot be imported\n{said}", USAGE)


def _fail_unguarded(place: str, error: runner.UnguardedRunError) -> NoReturn:
    where, frames = "the module", _module_frames(error)
    while frames is not None and _package(frames) not in ("rowlock", "asyncio"):
        where = f"{frames.tb_frame.f_code.co_filename}, line {frames.tb_lineno},"
        frames = frames.tb_next
    fail(f"--handlers {place}: {where} runs a worker when it is imported; {error}", USAGE)


def _module_frames(error: BaseException) -> TracebackType | None:
    """The traceback from the module's own code on; None where none of it was run."""
    frames = error.__traceback__
    while frames is not None and _package(frames) in ("rowlock", "importlib"):
        frames = frames.tb_next
    return frames


def _package(frames: TracebackType) -> str:
    return str(frames.tb_frame.f_globals.get("__name__")).partition(".")[0]
