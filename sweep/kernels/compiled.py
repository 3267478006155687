"""How the loops of this folder are compiled."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import numba
from llvmlite import binding
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
# And neither is another processor's, of which machines that share a home may have several.
_PROCESSOR = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}".encode()
_THIS_WAY = hashlib.sha256(b"".join((_PROCESSOR, *(source.read_bytes() for source in _FOLDER)))).hexdigest()[:8]


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
        if not numba.config.DISABLE_JIT:
            _do_without_kept_code(result)
    except RuntimeError:  # neither __pycache__ nor Numba's folder for the user can be written to
        result = numba.njit(**_HOW)(function)
    return result


def _do_without_kept_code(dispatcher: Any) -> None:
    """Let machine code that cannot be kept, or was cut short, cost the time to compile it and not the trial."""
    cache = dispatcher._cache
    save, load = cache.save_overload, cache.load_overload

    def keep(signature: Any, data: Any) -> None:
        with suppress(OSError):  # a full disk, say
            save(signature, data)

    def kept(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except OSError:
            return None
        except (EOFError, UnpicklingError):  # cut short, as by a power cut
            with suppress(OSError):
                cache.flush()
            return None

    cache.save_overload, cache.load_overload = keep, kept


def inner(function: Function) -> Function:
    """For what only compiled functions call: its machine code is kept in theirs."""
    result: Function = numba.njit(**_HOW)(function)
    return result


def inner_sum(function: Function) -> Function:
    """Likewise, for a sum that may be taken in any order: so it can be made of vectors."""
    result: Function = numba.njit(**{**_HOW, "fastmath": {"contract", "reassoc"}})(function)
    return result
