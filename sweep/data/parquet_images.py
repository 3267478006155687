"""parquet:PATH, encoded images in the layout public hubs use: a struct column with `bytes`, and an integer label."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sweep.data.errors import DataError
from sweep.data.hold_out import held_out
from sweep.data.layout import parquet_shards
from sweep.data.pixels import decode_image
from sweep.data.raw import Progress, RawDataset

LABEL_NAMES = ("label", "fine_label")
BATCH = 1024
MAX_CLASSES = 65_536  # more is a column that holds no class numbers


def read_parquet(path: Path, progress: Progress) -> RawDataset:
    """All shards of a folder, training first; without test shards a fixed stratified fifth is held out as test.

    Class names come from the hub's metadata in the schema, else they are the label numbers.
    Raises DataError, naming file and row, for unreadable files, missing columns, labels that are null, negative or
    without a name, classes without training images and, while the batches are read, for an unreadable image.
    """
    found = parquet_shards(path)
    shards = (*found.train, *found.test)
    label_column = _label_column(_open(shards[0]).schema_arrow, shards[0])
    names = _class_names(_open(shards[0]).schema_arrow, label_column)
    labels_of = [_labels(shard, label_column, len(names) if names else MAX_CLASSES) for shard in shards]
    labels = np.concatenate(labels_of)
    if not len(labels):
        raise DataError(f"{path}: the parquet files hold no rows")
    if found.test:
        is_test = np.arange(len(labels)) >= sum(map(len, labels_of[: len(found.train)]))
    else:
        is_test = held_out(labels, str(path))
        progress(f"{path}: no test files; {is_test.sum():,} of {len(labels):,} images are held out as the test set")
    unseen = [] if names else sorted(set(range(labels.max() + 1)) - set(labels[~is_test].tolist()))
    if unseen:
        raise DataError(
            f"{path}: {label_column} goes up to {labels.max()}, and no training image has {unseen[0]}; labels "
            "count the classes from 0 without gaps"
        )
    return RawDataset(
        class_names=names or tuple(map(str, range(labels.max() + 1))),
        labels=labels,
        is_test=is_test,
        batches=(batch for shard in shards for batch in _decoded(shard)),
    )


def _open(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file}: not a readable parquet file ({error}); fetch it again") from error


def _label_column(schema: pa.Schema, file: Path) -> str:
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    for name in LABEL_NAMES:
        if name in integers:
            return name
    if len(integers) == 1 and not any(name in schema.names for name in LABEL_NAMES):  # of another type
        return integers[0]
    raise DataError(
        f"{file}: no label column; it needs an integer column named label or fine_label, or exactly one integer "
        f"column, but has {_columns(schema)}"
    )


def _image_column(schema: pa.Schema, file: Path) -> str:
    """The dotted name of the one column of encoded images."""
    candidates = [f"{field.name}.bytes" for field in schema if _is_struct_with_bytes(field.type)]
    candidates = candidates or [field.name for field in schema if _is_binary(field.type)]
    if len(candidates) == 1:
        return candidates[0]
    raise DataError(
        f"{file}: {len(candidates) or 'no'} image columns; it needs exactly one struct column with a binary field "
        f"`bytes`, or one binary column, but has {_columns(schema)}"
    )


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_struct_with_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and any(field.name == "bytes" and _is_binary(field.type) for field in kind)


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _class_names(schema: pa.Schema, label_column: str) -> tuple[str, ...] | None:
    try:
        hub = json.loads((schema.metadata or {})[b"huggingface"])
        names = hub["info"]["features"][label_column]["names"]
    except (KeyError, TypeError, ValueError):  # no hub wrote it, or the label is a plain number there
        return None
    return tuple(map(str, names)) or None


def _labels(file: Path, column: str, n_classes: int) -> np.ndarray:
    parquet = _open(file)
    if column not in parquet.schema_arrow.names:
        raise DataError(f"{file}: no column {column}, which other files have; it has {_columns(parquet.schema_arrow)}")
    kind = parquet.schema_arrow.field(column).type
    if not pa.types.is_integer(kind):
        raise DataError(f"{file}: {column} is {kind}; it must be an integer, as in other files")
    try:
        values = parquet.read(columns=[column]).column(0)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file}: cannot read column {column} ({error}); fetch it again") from error
    rows = np.asarray(values.is_null())
    if not rows.any():
        labels = values.to_numpy().astype(np.int64)
        rows = (labels < 0) | (labels >= n_classes)
    if rows.any():
        if len(rows) > 1 and rows.all() and set(values.unique().to_pylist()) == {-1}:
            raise DataError(
                f"{file}: {column} is -1 in all rows: labels that are kept secret; move the file elsewhere, and "
                "validation files, or a part of the training images, are the test images"
            )
        row = int(rows.argmax())
        raise DataError(
            f"{file}: row {row}: {column} is {values[row].as_py()}; a label is a class number in [0, {n_classes - 1}]; "
            "remove the row"
        )
    return labels


def _decoded(file: Path) -> Iterator[np.ndarray]:
    parquet = _open(file)
    column = _image_column(parquet.schema_arrow, file)
    row = 0
    try:
        for batch in parquet.iter_batches(batch_size=BATCH, columns=[column]):
            values = batch.column(0)
            encoded = (values.flatten()[0] if pa.types.is_struct(values.type) else values).to_pylist()
            yield np.stack([_image(data, file, row + i) for i, data in enumerate(encoded)]).transpose(0, 3, 1, 2)
            row += len(encoded)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file}: cannot read it after row {row} ({error}); fetch it again") from error


def _image(data: bytes | None, file: Path, row: int) -> np.ndarray:
    if data is None:
        raise DataError(f"{file}: row {row}: no image bytes; images must be inside the file, not beside it")
    return decode_image(data, f"{file}: row {row}")
