"""`python -m app` is `rowlock`."""

from app.cli import main

main()
