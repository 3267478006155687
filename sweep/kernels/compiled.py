"""How the loops of this folder are compiled."""

from collections.abc import Callable
from typing import TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile `function` when it is first called; the machine code is kept on disk, where some place can be written to.

    Products and sums may be contracted to one rounding, nothing else is reordered: what is not a number stays so.
    Call it with the same types everywhere but for float32 and float64. Numba's files are not locked: of two processes
    that compile for different types at once, one could find the other's code as its own.
    """
    how = {"error_model": "numpy", "fastmath": {"contract"}}
    result: Function
    try:
        result = numba.njit(cache=True, **how)(function)
    except RuntimeError:  # neither __pycache__ nor Numba's folder for the user can be written to
        result = numba.njit(**how)(function)
    return result
