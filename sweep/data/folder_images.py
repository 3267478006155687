"""folder:PATH, images in one folder a class."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sweep.data.hold_out import held_out
from sweep.data.layout import class_folders
from sweep.data.pixels import decode_image
from sweep.data.raw import Progress, RawDataset

BATCH = 1024


def read_folder(path: Path, progress: Progress) -> RawDataset:
    """path/train/CLASS/* and path/test/CLASS/*, or path/CLASS/* with a fixed stratified fifth held out as test.

    Raises DataError for a wrong layout and, while the batches are read, for an unreadable image.
    """
    found = class_folders(path)
    files = [file for file, _ in (*found.train, *found.test)]
    if found.others:
        kinds = sorted({file.suffix.lower() or "none" for file in found.others})
        progress(f"{path}: files that are not read as images: {len(found.others):,}, of suffix {', '.join(kinds)}")
    labels = np.array([label for _, label in (*found.train, *found.test)], dtype=np.int64)
    if found.test:
        is_test = np.arange(len(files)) >= len(found.train)
    else:
        is_test = held_out(labels, str(path))
        progress(f"{path}: no test folder; {is_test.sum():,} of {len(files):,} images are held out as the test set")
    return RawDataset(found.class_names, labels, is_test, _decoded(files))


def _decoded(files: list[Path]) -> Iterator[np.ndarray]:
    for start in range(0, len(files), BATCH):
        images = [decode_image(file.read_bytes(), str(file)) for file in files[start : start + BATCH]]
        yield np.stack(images).transpose(0, 3, 1, 2)
