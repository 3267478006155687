"""scikit-learn's 1797 handwritten digits: embedded, so it works anywhere."""

import numpy as np
from PIL import Image

from sweep.data.hold_out import held_out
from sweep.data.pixels import rgb32
from sweep.data.raw import RawDataset

GREY_LEVELS = 16  # the pixels are 0 .. 16


def read_digits() -> RawDataset:
    """8 x 8 grey images resized to 32 x 32, three equal channels; a fixed stratified fifth is the test set."""
    from sklearn.datasets import load_digits  # slow to import, and needed only until the cache is there

    digits = load_digits()
    grey_NHW = np.rint(digits.images * (255 / GREY_LEVELS)).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    images_NHWC = np.stack([rgb32(Image.fromarray(grey_HW)) for grey_HW in grey_NHW])
    return RawDataset(
        class_names=tuple(str(digit) for digit in digits.target_names),
        labels=labels,
        is_test=held_out(labels, "digits"),
        batches=[images_NHWC.transpose(0, 3, 1, 2)],
    )
