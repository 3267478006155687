"""Loss and accuracy of a network that stays as it is."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.models.build import Network
from sweep.training.image_batches import ImageBatches


@torch.inference_mode()
def evaluate(model: Network, images: ImageBatches, index_N: Tensor) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy in [0, 1] over the images at `index_N`, clean, in evaluation mode.

    Leaves the model in training mode.
    """
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=images.device)
    correct = torch.zeros((), dtype=torch.int64, device=images.device)
    batch_size = model.evaluation_batch if images.device.type == "cpu" else model.gpu_evaluation_batch
    for x_BCHW, y_B in images.clean(index_N, batch_size):
        logits_BK = model(x_BCHW)
        loss += F.cross_entropy(logits_BK.float(), y_B, reduction="sum")
        correct += (logits_BK.argmax(1) == y_B).sum()
    model.train()
    return loss.item() / len(index_N), correct.item() / len(index_N)
