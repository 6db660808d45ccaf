"""What is in the one executable, as a CycloneDX bill of materials: `make binary` writes it.

It is read from the executable itself, not from what was to be in it.
"""

import platform
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from ssl import OPENSSL_VERSION

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from PyInstaller.archive.readers import CArchiveReader

_OPENSSL = ("libcrypto", "libssl")
_OURS = {"rowlock", "rowlock-server"}


def bill_of(executable: Path) -> Bom:
    """The executable, and beneath it every distribution and system library found in it."""
    archive = CArchiveReader(str(executable))
    modules = archive.open_embedded_archive("PYZ.pyz").toc
    bill = Bom()
    bill.metadata.tools.components.add(this_component())
    bill.metadata.component = root = Component(
        name="rowlock",
        version=distribution("rowlock").version,
        type=ComponentType.APPLICATION,
        hashes=[_hash(executable.read_bytes())],
    )
    components = [
        Component(name="python", version=platform.python_version(), type=ComponentType.PLATFORM),
        *_distributions({*modules, *archive.toc}),
        *(
            Component(
                name=name,
                version=OPENSSL_VERSION.split()[1] if name.startswith(_OPENSSL) else None,
                type=ComponentType.LIBRARY,
                hashes=[_hash(archive.extract(name))],
            )
            for name in archive.toc
            if name.startswith("lib") and ".so" in name
        ),
    ]
    for component in components:
        bill.components.add(component)
    bill.register_dependency(root, components)
    return bill


def _distributions(contents: set[str]) -> Iterator[Component]:
    owners = packages_distributions()
    packages = {re.split(r"[./]", name)[0] for name in contents}
    names = {name for package in packages for name in owners.get(package, ())} - _OURS
    licenses = LicenseFactory()
    for name in sorted(names):
        found = distribution(name)
        # Several may share a package, and not all of them be here with more than their names.
        files = [str(file) for file in found.files or () if ".dist-info/" not in str(file)]
        if not any(_module(file) in contents for file in files):
            continue
        facts = found.metadata.json
        said = str(facts.get("license_expression") or facts.get("license") or "")
        yield Component(
            name=name,
            version=found.version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", name=name, version=found.version),
            licenses=[licenses.make_from_string(said)] if said and "\n" not in said else None,
        )


def _module(file: str) -> str:
    """As the executable names it: a module, or a file that is none."""
    if not file.endswith(".py"):
        return file
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _hash(content: bytes) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=sha256(content).hexdigest())


if __name__ == "__main__":
    executable = Path(sys.argv[1])
    bill = JsonV1Dot6(bill_of(executable)).output_as_string(indent=2)
    executable.with_suffix(".cdx.json").write_text(bill + "\n")
