"""What a terminal that goes away means."""

import signal


def stop_at_hang_up() -> None:
    """From now on SIGHUP does whatever SIGTERM does at that moment. Where it is ignored, as
    `nohup` has it, it stays so."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
