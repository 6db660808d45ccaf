"""What goes wrong with the local services: a message says what was tried and what to do."""


class LocalError(Exception):
    """A private server could not be found, fetched, initialised or kept running."""
