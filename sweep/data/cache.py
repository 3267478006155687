"""Decoded images on disk: one folder a dataset, written once by one process, memory-mapped by all.

<folder>/{train,test}_images.npy   uint8 (N, 3, 32, 32)
<folder>/{train,test}_labels.npy   int64 (N,)
<folder>/meta.json                 what is in them; a folder without a whole one does not count
<folder>.lock                      held by the process that writes
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sweep.data.errors import DataError
from sweep.data.raw import IMAGE_SHAPE, PerChannel, Progress, RawDataset

FORMAT = 2  # rises with any change of the files' layout or of how images are decoded
PROGRESS_EVERY = 10_000
CHUNK = 1024  # images read at a time, 3 MB
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Meta:
    """The contents of meta.json. fingerprint: blake2b of the arrays. file_bytes: each array file's size."""

    format: int
    fingerprint: str
    class_names: tuple[str, ...]
    mean: PerChannel
    std: PerChannel
    n_train: int
    n_test: int
    file_bytes: dict[str, int]


def read_meta(folder: Path) -> Meta | None:
    """What the folder holds, or None unless it holds all of it: files missing, cut short or of another format."""
    try:
        meta = Meta(**json.loads((folder / "meta.json").read_text()))
        whole = meta.format == FORMAT and meta.file_bytes == _file_bytes(folder)
        shapes = [open_array(folder, name).shape for name in ("train_images", "train_labels")] if whole else []
    except (OSError, ValueError, TypeError, EOFError):
        return None
    if shapes != [(meta.n_train, *IMAGE_SHAPE), (meta.n_train,)]:
        return None
    return Meta(**asdict(meta) | {key: tuple(asdict(meta)[key]) for key in ("class_names", "mean", "std")})


def open_array(folder: Path, name: str) -> np.ndarray:
    """One of ARRAYS, memory-mapped read-only: all processes of a machine share its pages."""
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


@contextmanager
def only_writer(folder: Path, progress: Progress) -> Iterator[None]:
    """Wait until no other process holds the folder's lock, and hold it. A killed process lets go of it by itself."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting for another process to decode {folder.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_cache(folder: Path, raw: RawDataset, progress: Progress) -> None:
    """Decode into a temporary folder and rename it, so that the folder is whole or not there.

    Only for the holder of the lock. Raises DataError if an image cannot be decoded or the data cannot be learnt from.
    """
    n_test = int(raw.is_test.sum())
    n_train = len(raw.is_test) - n_test
    if len(raw.class_names) < 2 or n_train < 1 or n_test < 1:
        raise DataError(
            f"{folder.name}: {len(raw.class_names)} classes, {n_train} training and {n_test} test images; "
            "at least 2 classes and 1 image of each kind are needed"
        )
    temporary = folder.with_name(f"_{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)  # a killed process's
    temporary.mkdir()
    np.save(temporary / "train_labels.npy", raw.labels[~raw.is_test])
    np.save(temporary / "test_labels.npy", raw.labels[raw.is_test])
    _decode(temporary, raw, progress)
    mean, std = raw.normalisation or _channel_statistics(open_array(temporary, "train_images"))
    if not any(mean):
        raise DataError(
            f"{folder.name}: all training images are black; if they hold values of 8 bits in 16, save them with 8"
        )
    meta = Meta(
        format=FORMAT,
        fingerprint=_fingerprint(temporary),
        class_names=raw.class_names,
        mean=mean,
        std=std,
        n_train=n_train,
        n_test=n_test,
        file_bytes=_file_bytes(temporary),
    )
    (temporary / "meta.json").write_text(json.dumps(asdict(meta), indent=1))
    # Data before name: after a power cut a whole-looking folder must not hold zeros.
    for file in temporary.iterdir():
        with open(file, "rb") as written:
            os.fsync(written.fileno())
    if folder.exists():
        shutil.rmtree(folder)  # not whole; whoever has it open keeps their pages
    temporary.rename(folder)


def _decode(folder: Path, raw: RawDataset, progress: Progress) -> None:
    n, n_test = len(raw.is_test), int(raw.is_test.sum())
    done = 0
    # Written, not mapped: on a full disk a page that is mapped ends the process without a word.
    with open(folder / "train_images.npy", "wb") as train, open(folder / "test_images.npy", "wb") as test:
        for file, count in ((train, n - n_test), (test, n_test)):
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *IMAGE_SHAPE)}
            np.lib.format.write_array_header_1_0(file, header)
        for batch in raw.batches:
            to_test = raw.is_test[done : done + len(batch)]
            train.write(np.ascontiguousarray(batch[~to_test]).data)
            test.write(np.ascontiguousarray(batch[to_test]).data)
            if done // PROGRESS_EVERY < (done + len(batch)) // PROGRESS_EVERY:
                progress(f"decoding images: {done + len(batch):,} of {n:,}")
            done += len(batch)
    if done != n:
        raise DataError(f"{folder.name}: {done:,} images but {n:,} labels; did a file change meanwhile? start again")


def _channel_statistics(images_NCHW: np.ndarray) -> tuple[PerChannel, PerChannel]:
    """Mean and standard deviation of each channel over all pixels, in [0, 1] units, from exact integer sums."""
    total_C, squares_C = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for start in range(0, len(images_NCHW), CHUNK):
        chunk_NCHW = images_NCHW[start : start + CHUNK].astype(np.int32)
        total_C += chunk_NCHW.sum(axis=(0, 2, 3), dtype=np.int64)
        squares_C += np.square(chunk_NCHW).sum(axis=(0, 2, 3), dtype=np.int64)
    n_pixels = images_NCHW[:, 0].size
    mean_C = total_C / n_pixels
    std_C = np.sqrt(squares_C / n_pixels - mean_C**2)
    std_C[std_C == 0] = 255  # a constant channel, which is to become 0 and not 0 / 0
    r, g, b = (float(value) / 255 for value in mean_C)
    std_r, std_g, std_b = (float(value) / 255 for value in std_C)
    return (r, g, b), (std_r, std_g, std_b)


def _fingerprint(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in ARRAYS:
        array = open_array(folder, name)
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        for start in range(0, len(array), CHUNK):
            digest.update(np.ascontiguousarray(array[start : start + CHUNK]).data)
    return digest.hexdigest()


def _file_bytes(folder: Path) -> dict[str, int]:
    return {name: (folder / f"{name}.npy").stat().st_size for name in ARRAYS}
