"""Rowlock's client and worker SDK. It speaks HTTP and knows nothing of the server's inside."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("rowlock")
except PackageNotFoundError:  # run from a tree that was not installed
    __version__ = "0+unknown"
