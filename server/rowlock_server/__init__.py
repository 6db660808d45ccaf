"""The server's packages, out of everybody's way: to import this one is to find `app` and `bench`.

The server's commands do so. Nothing that a worker or a client imports does, so that `app` may be
a package of their own.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).parent

if not getattr(sys, "frozen", False):
    # In a wheel they lie below this package, in a checkout two folders above it.
    sys.path.insert(0, str(_HERE if (_HERE / "app").is_dir() else _HERE.parents[1]))
