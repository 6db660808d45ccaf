"""`python -m app.local`: have a MySQL server at hand, fetching one now if need be."""

import sys

from app.local.errors import LocalError
from app.local.lookup import find_server, say_on_stderr

try:
    server = find_server()
except LocalError as error:
    say_on_stderr(str(error))
    sys.exit(1)
say_on_stderr(f"{server} is available: {server.path}")
