"""How the loops of this folder are compiled."""

from collections.abc import Callable
from typing import TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile `function` at its first call with each combination of types; the machine code is kept on disk.

    Products and sums may be contracted to one rounding, nothing else is reordered: what is not a number stays so.
    """
    result: Function = numba.njit(cache=True, error_model="numpy", fastmath={"contract"})(function)
    return result
