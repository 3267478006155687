"""A table of a sweep as the bytes of a Parquet file, with page checksums, and back, with every page verified."""

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.store.errors import damaged


def to_parquet(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    data: bytes = buffer.getvalue().to_pybytes()
    return data


def from_parquet(data: bytes, schema: pa.Schema, *, name: str) -> pa.Table:
    """The table with the columns of `schema`; columns that an older version did not have come as nulls.

    name: the file as the message names it. Raises DamagedFileError if a page fails its checksum or the file is cut.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(_in_arrow(data)), page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, error) from None
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _in_arrow(data: bytes) -> pa.Buffer:
    """The bytes in memory of Arrow's own.

    Arrow's reading threads may let go of the buffer last; doing that to Python's memory while the interpreter is
    ending aborts the process ("terminate called without an active exception"), about 1 short command in 200.
    """
    buffer = pa.allocate_buffer(len(data))
    memoryview(buffer).cast("B")[:] = data
    return buffer
