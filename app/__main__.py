"""`python -m app` is `rowlock`."""

from rowlock.cli import main

main()
