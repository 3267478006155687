"""A linear layer to classes and the cross-entropy behind it: loss, gradients and what was predicted, in one loop.

Shapes: B of a batch, D features, K classes. Arrays are float32 where nothing else is said.
"""

import numpy as np

from sweep.kernels.bounds import OutOfBoundsError
from sweep.kernels.compiled import compiled, inner, inner_sum


@compiled
def add_and_differentiate(
    features_BD: np.ndarray,
    weight_KD: np.ndarray,
    bias_K: np.ndarray,
    y_B: np.ndarray,
    loss_sum: np.ndarray,
    correct: np.ndarray,
    dfeatures_BD: np.ndarray,
    dweight_KD: np.ndarray,
    dbias_K: np.ndarray,
) -> None:
    """Add the images' cross-entropies (nats) and how many have their class's logit as the largest.

    y_B: int64; loss_sum: float64 and correct: int64, of no dimension. The gradients, which are written, are those of
    the mean cross-entropy. Raises OutOfBoundsError for a label that is no class.
    """
    batch, classes = len(features_BD), len(weight_KD)
    dweight_KD[:] = 0
    dbias_K[:] = 0
    dlogits = np.empty(classes, np.float32)
    for b in range(batch):
        features, dfeatures, y = features_BD[b], dfeatures_BD[b], y_B[b]
        if y < 0 or y >= classes:
            raise OutOfBoundsError("Target", y, classes)
        for k in range(classes):
            dlogits[k] = bias_K[k] + _dot(features, weight_KD[k])
        loss, hit = _cross_entropy(dlogits, y, np.float32(1 / batch))
        loss_sum[()] += loss
        correct[()] += hit
        dfeatures[:] = 0
        for k in range(classes):
            dbias_K[k] += dlogits[k]
            _add_multiple(dlogits[k], weight_KD[k], dfeatures)
            _add_multiple(dlogits[k], features, dweight_KD[k])


@inner_sum
def _dot(a: np.ndarray, b: np.ndarray) -> np.float32:
    total = np.float32(0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@inner
def _add_multiple(factor: np.float32, values: np.ndarray, to: np.ndarray) -> None:
    for i in range(len(to)):
        to[i] += factor * values[i]


@inner
def _cross_entropy(logits: np.ndarray, y: int, share: np.float32) -> tuple[np.float32, bool]:
    """The loss, and whether y is predicted. Overwrites the logits by the gradient of share * loss."""
    best = 0
    for k in range(len(logits)):
        # The first of equals; what is not a number counts as the largest, as torch.argmax has it.
        if logits[k] > logits[best] or (logits[k] != logits[k] and logits[best] == logits[best]):
            best = k
    highest, of_y = logits[best], logits[y]
    total = np.float32(0)
    for k in range(len(logits)):
        logits[k] = np.exp(logits[k] - highest)
        total += logits[k]
    for k in range(len(logits)):
        logits[k] *= share / total
    logits[y] -= share
    return np.log(total) - (of_y - highest), best == y
