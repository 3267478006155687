"""Run hyper-parameter sweeps that measure the overfitting gap.

Names load when they are first used, so that `import sweep` stays light: analysis, shell completion and
`sweep --help` never wait for torch or Ray.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search_spaces.errors import SpecError
    from sweep.spec import SweepSpec
    from sweep.tuning.finalize import finalize
    from sweep.tuning.launch import SweepResult, resume, run

__all__ = ["SpecError", "SweepResult", "SweepSpec", "finalize", "resume", "run"]

_HOME = {
    "SpecError": "search_spaces.errors",
    "SweepResult": "sweep.tuning.launch",
    "SweepSpec": "sweep.spec",
    "finalize": "sweep.tuning.finalize",
    "resume": "sweep.tuning.launch",
    "run": "sweep.tuning.launch",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'sweep' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
