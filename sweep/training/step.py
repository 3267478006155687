"""One step of training.

Shapes: B of a batch, C channels, H height, W width, K classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.data.augmentation import Augmentation
from sweep.kernels.classifier import add_and_differentiate
from sweep.models.build import Network
from sweep.models.mlp import MLP
from sweep.training.image_batches import ImageBatches
from sweep.training.mlp_gradients import MLPGradients
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
        self._by_own_loops = images.device.type == "cpu" and precision != "bf16"
        # None: by autograd.
        self.mlp_gradients = (
            MLPGradients(model, self.loss_sum, self.correct) if self._by_own_loops and isinstance(model, MLP) else None
        )

    def __call__(self, index_B: Tensor) -> None:
        """Train on the images at `index_B` (int64, on the device), augmented."""
        if self.mlp_gradients is not None and self._augmentation.is_identity:
            self.mlp_gradients(*self._images.on_cpu(index_B.numpy()))
            self.optimizer.step()
        else:
            self.train_on(*self.augmented(index_B))

    def augmented(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        """Float (B, C, H, W), or pixels, and int64 (B,)."""
        return self._images.augmented(index_B, self._augmentation, self._generator)

    def train_on(self, x_BCHW: Tensor, y_B: Tensor) -> None:
        """Train on these images and labels."""
        if self.mlp_gradients is not None:
            self.mlp_gradients(x_BCHW.numpy(), y_B.numpy())
        elif self._by_own_loops:
            self._by_autograd_to_the_head(x_BCHW, y_B)
        else:
            self._by_autograd(x_BCHW, y_B)
        self.optimizer.step()

    def _by_autograd(self, x_BCHW: Tensor, y_B: Tensor) -> None:
        self.optimizer.zero_grad()
        with computing_in(self._precision, x_BCHW.device):
            logits_BK = self.model(x_BCHW).float()
        loss = F.cross_entropy(logits_BK, y_B)
        loss.backward()
        self.loss_sum += loss.detach() * len(y_B)
        self.correct += (logits_BK.detach().argmax(1) == y_B).sum()

    def _by_autograd_to_the_head(self, x_BCHW: Tensor, y_B: Tensor) -> None:
        """The head, its loss and gradients are one loop. On a CPU in float32."""
        self.optimizer.zero_grad()
        features_BD = self.model.features(x_BCHW)
        features_BD.backward(self._through_the_head(features_BD.detach().contiguous(), y_B))

    def _through_the_head(self, features_BD: Tensor, y_B: Tensor) -> Tensor:
        """Forward and back, with its gradients; returns the features'."""
        head = self.model.head
        given = features_BD, head.weight.detach(), head.bias.detach()
        gradients = [torch.empty_like(tensor) for tensor in given]
        add_and_differentiate(*(tensor.numpy() for tensor in (*given, y_B, self.loss_sum, self.correct, *gradients)))
        dfeatures_BD, head.weight.grad, head.bias.grad = gradients
        return dfeatures_BD
