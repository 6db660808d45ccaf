"""The API's own TLS: a certificate that is taken up anew when its files are."""

import ssl
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Certificate:
    """For whoever connects. Raises `OSError` (`ssl.SSLError` is one) where it cannot be used."""

    def __init__(self, file: Path, key_file: Path | None) -> None:
        self._files = (file, key_file)
        self._read_of = self._state()
        self.context = _context(*self._files)

    async def renew(self) -> None:
        """Take up what has been written since. What cannot be used changes nothing."""
        try:
            if (state := self._state()) == self._read_of:
                return
            # Half a pair would leave the running context without a key.
            _context(*self._files)
            self.context.load_cert_chain(*self._files)
        except OSError as error:
            log.warning("certificate_not_read", reason=str(error))
            return
        self._read_of = state
        log.info("certificate_renewed")

    def _state(self) -> list[tuple[int, int, int]]:
        found = [file.stat() for file in self._files if file is not None]
        return [(state.st_mtime_ns, state.st_size, state.st_ino) for state in found]


def _context(file: Path, key_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file, key_file)
    return context
