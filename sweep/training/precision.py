"""The number format that forward and backward passes compute in."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

# int16: fp32 but for the products of an MLP's large first layer with pixels. These are whole numbers of 8 bits, to
# which they are rounded again after colour jitter; what they are multiplied by is rounded to 16, and sums are exact.
Precision = Literal["fp32", "bf16", "int16"]


def computing_in(precision: Precision, device: "torch.device") -> AbstractContextManager[None]:
    """Where matrix products and convolutions run in `precision`. Weights, their updates and all sums stay fp32."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
