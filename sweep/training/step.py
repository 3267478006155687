"""One step of training.

Shapes: B of a batch, C channels, H height, W width, K classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.data.augmentation import Augmentation
from sweep.kernels.cross_entropy import add_and_differentiate
from sweep.models.build import Network
from sweep.training.image_batches import ImageBatches
from sweep.training.optimizer import Optimizer
from sweep.training.precision import Precision, computing_in


class Step:
    """Moves the weights of a network by one batch.

    loss_sum (nats, float64) and correct (int64) add up over steps on the device, where reading a value would make a GPU
    wait for Python at each.
    """

    def __init__(
        self,
        model: Network,
        optimizer: Optimizer,
        images: ImageBatches,
        augmentation: Augmentation,
        generator: torch.Generator,
        precision: Precision,
    ) -> None:
        """generator: what augmentation draws from, on the images' device."""
        self.model = model
        self.optimizer = optimizer
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=images.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=images.device)
        self._images = images
        self._augmentation = augmentation
        self._generator = generator
        self._precision = precision

    def __call__(self, index_B: Tensor) -> None:
        """Train on the images at `index_B` (int64, on the device), augmented."""
        self.train_on(*self.augmented(index_B))

    def augmented(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        """Float (B, C, H, W) and int64 (B,)."""
        return self._images.augmented(index_B, self._augmentation, self._generator)

    def train_on(self, x_BCHW: Tensor, y_B: Tensor) -> None:
        """Train on these images and labels."""
        with computing_in(self._precision, x_BCHW.device):
            logits_BK = self.model(x_BCHW).float()
        self.optimizer.zero_grad()
        if logits_BK.device.type == "cpu":
            gradient_BK = torch.empty_like(logits_BK)
            add_and_differentiate(
                logits_BK.detach().numpy(),
                y_B.numpy(),
                self.loss_sum.numpy(),
                self.correct.numpy(),
                gradient_BK.numpy(),
            )
            logits_BK.backward(gradient_BK)
        else:
            loss = F.cross_entropy(logits_BK, y_B)
            loss.backward()
            self.loss_sum += loss.detach() * len(y_B)
            self.correct += (logits_BK.detach().argmax(1) == y_B).sum()
        self.optimizer.step()
