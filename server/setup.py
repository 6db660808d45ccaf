"""What of rowlock-server is read from the repository around it: the tree, the version, the needs.

`app`, `bench` and `alembic` lie below `rowlock_server` in the wheel. At the top of site-packages
they would stand in the way of the users' own packages of these names.
"""

import tomllib
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ROOT = HERE.parent
TREE = ("app", "bench", "alembic")

described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
version = described["project"]["version"]

setup(
    version=version,
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    install_requires=[f"rowlock=={version}", *described["dependency-groups"]["server"]],
    package_dir={f"rowlock_server.{name}": f"../{name}" for name in TREE},
    packages=[
        "rowlock_server",
        *(
            f"rowlock_server.{name}"
            for name in [
                *find_packages(str(ROOT), include=("app", "app.*", "bench", "bench.*")),
                "alembic",
                "alembic.versions",
            ]
        ),
    ],
    package_data={"rowlock_server.app": ["web/*"]},
    include_package_data=False,
)
