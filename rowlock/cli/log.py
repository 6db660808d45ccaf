"""What a command that runs handlers logs, on stderr."""

import logging
import sys

from rowlock.printable import HarmlessLines


def configure_log(level: str) -> None:
    """Not where the handlers' module has seen to it."""
    if logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HarmlessLines("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("rowlock").setLevel(level)
