"""This gapsweep's own code as a folder that a cluster is sent, so that a sweep runs the code it was submitted with."""

import hashlib
import shutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("sweep", "search_spaces", "cluster", "analysis")
_NOT_CODE = shutil.ignore_patterns("__pycache__", "results", ".*")


def ship_code(into: Path) -> None:
    """Copy our packages, and what says which version they are, into a folder."""
    for name, place in _places():
        shutil.copytree(place, into / name, ignore=_NOT_CODE)
    gapsweep = distribution("gapsweep")
    about = into / f"gapsweep-{gapsweep.version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(gapsweep.read_text("METADATA") or "")


@cache
def code_digest() -> str:
    """The same on every machine that runs the same code of ours."""
    digest = hashlib.blake2b(digest_size=6)
    for name, place in _places():
        for file in sorted(Path(place).rglob("*.py")):
            digest.update(f"{name}/{file.relative_to(place)}".encode() + file.read_bytes())
    return digest.hexdigest()


def _places() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        for place in spec.submodule_search_locations or ():
            yield name, place
