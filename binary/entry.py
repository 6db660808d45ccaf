"""What the one executable runs: `rowlock`, or, as Python would, `-m MODULE` for processes of
its own."""

import ctypes
import os
import runpy
import signal
import sys
import time

ECHO_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1


def die_with_the_unpacker() -> None:
    """The executable's first process unpacks it and waits for us. Whoever kills it by SIGKILL
    means us; and systemd and users know its pid alone."""
    unpacker = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != unpacker:
        os._exit(1)


def main() -> None:
    """Run."""
    if sys.argv[1:2] == ["-m"]:
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    from rowlock.cli import main as rowlock  # noqa: PLC0415  (after the helpers, which need less)

    rowlock()


def hear_ctrl_c_once() -> None:
    """A terminal sends it to us and to the unpacker, which passes it on."""
    heard_at = -ECHO_SECONDS

    def interrupt(_number: int, _frame: object) -> None:
        nonlocal heard_at
        is_echo = time.monotonic() - heard_at < ECHO_SECONDS
        heard_at = time.monotonic()
        if not is_echo:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


if __name__ == "__main__":
    die_with_the_unpacker()
    hear_ctrl_c_once()
    main()
