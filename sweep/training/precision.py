"""The number format that forward and backward passes compute in.

Resolving it needs no torch: the driver does it, which never computes and so never loads torch.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16"]


def resolve_precision(asked: str, device: Literal["cpu", "cuda"]) -> Precision:
    """The format that `precision` in a spec stands for on this machine.

    auto: bf16 on a CPU that multiplies it natively (AMX or AVX512-bf16), where a step takes about half the time; fp32
    anywhere else, where bf16 would be emulated (a CPU) or is not what bounds these small networks (a GPU, whose
    convolutions round their inputs to TF32 then, as is torch's default).
    Raises ValueError for another word.
    """
    if asked in ("fp32", "bf16"):
        return cast(Precision, asked)
    if asked != "auto":
        raise ValueError(f"precision: got {asked!r}; allowed are 'auto', 'fp32' and 'bf16'")
    return "bf16" if device == "cpu" and _cpu_multiplies_bf16() else "fp32"


def computing_in(precision: Precision, device: "torch.device") -> AbstractContextManager[None]:
    """Where matrix products and convolutions run in `precision`. Weights, their updates and all sums stay fp32."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def _cpu_multiplies_bf16() -> bool:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False  # not Linux
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags
