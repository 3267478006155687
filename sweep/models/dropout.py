"""Inverted dropout (Srivastava et al. 2014, JMLR 15, section 10: scaled while training, so that evaluation is free)."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """While training, y = x * keep / (1 - p), with keep = (u >= p) and u uniform in [0, 1); y = x in evaluation.

    One generator state gives one u, whatever p is: a value kept at one rate is kept at every lower rate too, so two
    drop rates can be compared under the same noise.

    p: the drop rate, a float or a 0-d tensor in [0, 1). The float 0 draws no noise; a 0-d tensor always does, as
       looking at its value would make a GPU wait.
    generator: where the noise comes from; it must live on the input's device. None: torch's default generator.
    """

    def __init__(self, p: float | Tensor, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is {p}; it must be in [0, 1), where 0 drops nothing")
        self.p = p
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """x: float (N, C, ...). Returns the same shape and memory format, with E[y] = x while training."""
        if not self.training or (isinstance(self.p, float | int) and self.p == 0):
            return x
        # Drawn with the channels last, whatever the memory format of x: the mask depends on nothing but the shape, and
        # the product is fast where it matters, as the convolutions work with channels last.
        n, c, *places = x.shape
        u = torch.rand(n, *places, c, generator=self.generator, device=x.device).movedim(-1, 1)
        # In place, so that the mask is made in u's own memory; a boolean mask would cost a slow mixed-type product.
        factor = u.ge_(self.p).to(x.dtype).mul_(1 / (1 - self.p))
        return x * factor

    def extra_repr(self) -> str:
        return f"p={self.p}"
