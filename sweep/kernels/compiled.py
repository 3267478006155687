"""How the loops of this folder are compiled."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.compiler import Compiler

Function = TypeVar("Function", bound=Callable[..., object])


class RestrictCompiler(Compiler):
    """Takes each array that a function is given for memory of its own, as `restrict` does in C.

    Otherwise every loop over the features of one place first compares all addresses with each other.
    """

    def define_pipelines(self) -> Any:
        self.state.flags.noalias = True
        return super().define_pipelines()


_HOW: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "pipeline_class": RestrictCompiler}
# Numba keeps machine code by the source of the loop's own file; with this in its name, code that was made from other
# versions of what it calls, or compiled otherwise, is not taken.
_FOLDER = sorted(Path(__file__).parent.glob("*.py"))
_THIS_WAY = hashlib.sha256(b"".join(source.read_bytes() for source in _FOLDER)).hexdigest()[:8]


def compiled(function: Function) -> Function:
    """Compile `function` when it is first called; the machine code is kept on disk, where some place can be written to.

    An array that it writes to must not overlap another that it is given. Products and sums may be contracted to one
    rounding, nothing else is reordered: what is not a number stays so. Call it with the same types everywhere but for
    float32 and float64. Numba's files are not locked: of two processes that compile for different types at once, one
    could find the other's code as its own.
    """
    result: Function
    function.__qualname__ = f"{function.__qualname__}_{_THIS_WAY}"
    try:
        result = numba.njit(cache=True, **_HOW)(function)
    except RuntimeError:  # neither __pycache__ nor Numba's folder for the user can be written to
        result = numba.njit(**_HOW)(function)
    return result


def inner(function: Function) -> Function:
    """For what only compiled functions call: its machine code is kept in theirs."""
    result: Function = numba.njit(**_HOW)(function)
    return result


def inner_sum(function: Function) -> Function:
    """Likewise, for a sum that may be taken in any order: so it can be made of vectors."""
    result: Function = numba.njit(**{**_HOW, "fastmath": {"contract", "reassoc"}})(function)
    return result
