"""One Parquet file of a sweep: written whole, with page checksums; read with every page verified."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.store.errors import DamagedFileError
from sweep.store.layout import write_atomically


def write_table(path: Path, table: pa.Table) -> None:
    """Write `table` atomically. Raises OSError; then no file of that name is there, or the earlier one still is."""
    buffer = pa.BufferOutputStream()
    # Serialised to memory first: what reaches the disk is one write of known bytes.
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    data = buffer.getvalue()
    write_atomically(path, lambda file: file.write(data))


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a file and give it the columns of `schema`; columns that an older version did not have come as nulls.

    Raises DamagedFileError naming the file if any page fails its checksum or the file is cut short.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DamagedFileError(f"{path}: damaged ({error}); restore it from a copy or remove it") from None
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
