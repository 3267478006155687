"""The number format that forward and backward passes compute in."""

from contextlib import AbstractContextManager
from typing import Literal, cast

import torch

Precision = Literal["fp32", "bf16"]


def resolve_precision(asked: str, device: torch.device | str) -> Precision:
    """The format that `precision` in a spec stands for on this machine.

    auto: bf16 on a CPU that multiplies it natively (AMX or AVX512-bf16), where a step takes about half the time; fp32
    anywhere else, where bf16 would be emulated (a CPU) or is not what bounds these small networks (a GPU).
    Raises ValueError for another word.
    """
    if asked in ("fp32", "bf16"):
        return cast(Precision, asked)
    if asked != "auto":
        raise ValueError(f"precision: got {asked!r}; allowed are 'auto', 'fp32' and 'bf16'")
    if torch.device(device).type != "cpu":
        return "fp32"
    present = torch.cpu.get_capabilities()
    return "bf16" if present.get("amx_bf16") or present.get("avx512_bf16") else "fp32"


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """Where matrix products and convolutions run in `precision`. Weights, their updates and all sums stay fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
