import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sweep.data import ImageDataset, load_dataset

REAL_CIFAR10 = Path(__file__).parents[3] / "shared" / "data" / "cifar10"


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def shard(
    path: Path,
    images: Sequence[bytes | None],
    labels: Sequence[int | None],
    *,
    image: str = "img",
    label: str = "label",
    metadata: dict[bytes, bytes] | None = None,
    **columns: list[object],
) -> Path:
    """Write a parquet file as public hubs do: a struct of bytes and path, and an integer label."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": data, "path": None} for data in images]
    table = pa.table({image: pa.array(rows, kind), label: pa.array(labels, pa.int64()), **columns})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


@pytest.fixture
def write_shard() -> Callable[..., Path]:
    return shard


@pytest.fixture
def encode() -> Callable[..., bytes]:
    return encoded


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Random uint8 images (N, 32, 32, 3)."""

    def make(n: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)

    return make


@pytest.fixture
def small_parquet(tmp_path: Path, noise: Callable[..., np.ndarray]) -> Path:
    """A folder with 20 training and 10 test images of 5 classes."""
    folder = tmp_path / "small"
    pngs = [encoded(Image.fromarray(image)) for image in noise(30)]
    shard(folder / "train-00000-of-00001.parquet", pngs[:20], [i % 5 for i in range(20)])
    shard(folder / "test-00000-of-00001.parquet", pngs[20:], [i % 5 for i in range(10)])
    return folder


@pytest.fixture(scope="session")
def large_parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 25,000 training and 100 test images: more than two seconds of decoding."""
    folder = tmp_path_factory.mktemp("large")
    pngs = [encoded(Image.new("RGB", (32, 32), (20 * label, 0, 255))) for label in range(10)]
    shard(folder / "train-0.parquet", pngs * 2500, list(range(10)) * 2500)
    shard(folder / "test-0.parquet", pngs * 10, list(range(10)) * 10)
    return folder


@pytest.fixture(scope="session")
def real_cifar10(tmp_path_factory: pytest.TempPathFactory) -> ImageDataset:
    if not REAL_CIFAR10.is_dir():
        pytest.skip(f"the real CIFAR-10 is not at {REAL_CIFAR10}")
    return load_dataset(f"parquet:{REAL_CIFAR10}", cache_dir=tmp_path_factory.mktemp("cifar10-cache"))
