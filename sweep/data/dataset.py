"""Load a dataset by name: decoded once a machine, then memory-mapped."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.data.cache import FORMAT, Meta, only_writer, open_array, read_meta, write_cache
from sweep.data.cifar import read_cifar
from sweep.data.digits import read_digits
from sweep.data.errors import DataError
from sweep.data.folder_images import read_folder
from sweep.data.layout import class_folders, parquet_shards
from sweep.data.parquet_images import read_parquet
from sweep.data.raw import PerChannel, Progress, RawDataset
from sweep.data.source import Source, check_dataset, parse_dataset


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images as uint8 arrays that live in files; every process of a machine shares one copy.

    train_images: uint8 (N, 3, 32, 32), memory-mapped, read-only. train_labels: int64 (N,), likewise.
    mean, std: of the channels, in [0, 1] pixel units. fingerprint: hash of all arrays, the test images included.
    folder: where the arrays are.
    """

    name: str
    fingerprint: str
    class_names: tuple[str, ...]
    mean: PerChannel
    std: PerChannel
    train_images: np.ndarray
    train_labels: np.ndarray
    folder: Path

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """Test images uint8 (M, 3, 32, 32) and labels int64 (M,). Their files are opened only by this call."""
        return open_array(self.folder, "test_images"), open_array(self.folder, "test_labels")


def load_dataset(name: str, *, cache_dir: Path, progress: Progress | None = None) -> ImageDataset:
    """Open a dataset, decoding it into cache_dir first if it is not there.

    Of several processes that ask at the same time one decodes and the others wait. A killed decode leaves nothing
    behind that counts, and a damaged cache is decoded again. progress: called with one line a step.
    Raises DataError if the data cannot be found or read, or the cache cannot be written.
    """
    tell = progress or (lambda line: None)
    check_dataset(name)
    source = parse_dataset(name)
    cache_dir = Path(cache_dir).absolute()  # test() may be called after a change of directory
    try:
        folder = cache_dir / _cache_key(source)
        meta = read_meta(folder)
        if meta is None:
            with only_writer(folder, tell):
                meta = read_meta(folder) or _decode(source, folder, tell)
        return ImageDataset(
            name=name,
            fingerprint=meta.fingerprint,
            class_names=meta.class_names,
            mean=meta.mean,
            std=meta.std,
            train_images=open_array(folder, "train_images"),
            train_labels=open_array(folder, "train_labels"),
            folder=folder,
        )
    except OSError as error:
        place = error.filename
        if isinstance(place, str) and source.path is not None and Path(place).is_relative_to(source.path):
            raise DataError(f"dataset {name!r}: {error}; all its files must be readable") from error
        raise DataError(f"dataset {name!r}: {error}; is {cache_dir} writable, with room for the images?") from error


def _decode(source: Source, folder: Path, progress: Progress) -> Meta:
    write_cache(folder, _read(source, folder.parent, progress), progress)
    meta = read_meta(folder)
    if meta is None:
        raise DataError(f"{folder}: damaged while it was written; is another program changing it?")
    return meta


def _read(source: Source, cache_dir: Path, progress: Progress) -> RawDataset:
    if source.path is None:
        return read_digits() if source.kind == "digits" else read_cifar(source.kind, cache_dir / "downloads", progress)
    return read_parquet(source.path, progress) if source.kind == "parquet" else read_folder(source.path, progress)


def _cache_key(source: Source) -> str:
    """Changes whenever the source's files do, by name, size or time of change."""
    files: list[Path] = []
    if source.path is not None and source.kind == "parquet":
        shards = parquet_shards(source.path)
        files = [*shards.train, *shards.test]
    elif source.path is not None:
        found = class_folders(source.path)
        files = [file for file, _ in (*found.train, *found.test)]
    states = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    identity = json.dumps([FORMAT, source.kind, str(source.path), states])
    return f"{source.kind}-{hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()}"
