"""The loss of a batch, its gradient and what was predicted, in one pass.

Shapes: B of a batch, K classes.
"""

import numpy as np

from sweep.kernels.bounds import OutOfBoundsError
from sweep.kernels.compiled import compiled


@compiled
def add_and_differentiate(
    logits_BK: np.ndarray, y_B: np.ndarray, loss_sum: np.ndarray, correct: np.ndarray, gradient_BK: np.ndarray
) -> None:
    """Add the images' cross-entropies (nats) and how many have their class's logit as the largest.

    logits_BK, gradient_BK: float32; y_B: int64; loss_sum: float64 and correct: int64, of no dimension. The gradient is
    that of the mean cross-entropy.

    Raises OutOfBoundsError for a label without a logit.
    """
    batch, classes = logits_BK.shape
    for b in range(batch):
        logits, gradient, y = logits_BK[b], gradient_BK[b], y_B[b]
        if y < 0 or y >= classes:
            raise OutOfBoundsError("Target", y, classes)
        best = 0
        for k in range(classes):
            # The first of equals; what is not a number counts as the largest, as torch.argmax has it.
            if logits[k] > logits[best] or (logits[k] != logits[k] and logits[best] == logits[best]):
                best = k
        total = np.float32(0)
        for k in range(classes):
            gradient[k] = np.exp(logits[k] - logits[best])
            total += gradient[k]
        for k in range(classes):
            gradient[k] /= total * np.float32(batch)
        gradient[y] -= np.float32(1 / batch)
        loss_sum[()] += np.log(total) - (logits[y] - logits[best])
        correct[()] += best == y
