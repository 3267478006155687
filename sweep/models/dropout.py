"""Inverted dropout (Srivastava et al. 2014, JMLR 15, section 10: scaled while training, so that evaluation is free)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sweep.models.pointwise import pointwise_run

# From a count to int16 (count,) on the input's device, all 2**16 values equally likely.
NoiseSource = Callable[[int], Tensor]

LEVELS = 2**16


class Dropout(nn.Module):
    """While training, y = x * keep / (1 - p), with keep = (u >= p) and u uniform over [0, 1) in steps of 1/65536.

    p counts in the same steps: it is rounded to a multiple of 1/65536, far below any difference that training shows,
    so that the mean of y is x exactly. One draw gives one u, whatever p is: a value kept at one rate is kept at every
    lower rate too, so two drop rates can be compared under the same noise.

    p: the drop rate, a float or a 0-d tensor in [0, 1). The float 0 draws no noise; a 0-d tensor always does, as
       looking at its value would make a GPU wait.
    noise: where u comes from. None: torch's default generator.
    """

    def __init__(self, p: float | Tensor, noise: NoiseSource | None = None) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is {p}; it must be in [0, 1), where 0 drops nothing")
        self.p = p
        self.noise = noise

    @property
    def is_active(self) -> bool:
        """Whether `forward` may change anything now."""
        return self.training and (isinstance(self.p, Tensor) or self.p > 0)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (N, C, ...). Returns the same shape and memory format, with E[y] = x while training."""
        return pointwise_run(x, dropout=self)[0] if self.is_active else x

    def draw(self, like: Tensor) -> Tensor:
        """Fresh noise, int16 in the shape of `like`; kept is what is not below the threshold."""
        count = like.numel()
        noise = _default_noise(like) if self.noise is None else self.noise(count)
        return noise.view(like.shape)

    def threshold_and_factor(self) -> tuple[int, float]:
        """Below which of the noise's values is dropped, and by what is multiplied what is kept."""
        dropped = min(round(float(self.p) * LEVELS), LEVELS - 1)  # as `_dropped`, without its tensors
        return dropped - LEVELS // 2, LEVELS / (LEVELS - dropped)

    def fill(self, factor: Tensor) -> Tensor:
        """Overwrite with fresh noise: 0 where dropped, `scale` where kept. Any shape, contiguous. Returns it."""
        # As floats, which hold 16 bits exactly; a boolean mask would make slow mixed-type products.
        return factor.copy_(self.draw(factor)).ge_(self._dropped() - LEVELS // 2).mul_(self.scale(factor))

    def scale(self, like: Tensor) -> Tensor:
        """1 / (1 - p) as a 0-d tensor in the dtype of `like`."""
        return LEVELS / (LEVELS - self._dropped().to(like.dtype))

    def _dropped(self) -> Tensor:
        """How many of the levels are dropped. Never all: the scale would not be finite."""
        return (torch.as_tensor(self.p) * LEVELS).round().clamp(max=LEVELS - 1)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def _default_noise(like: Tensor) -> Tensor:
    return torch.empty(like.numel(), dtype=torch.int16, device=like.device).random_(-LEVELS // 2, LEVELS // 2)
