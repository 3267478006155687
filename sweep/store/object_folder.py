"""A prefix of an object store: S3 and what speaks its protocol, Google Cloud Storage, Azure, through pyarrow."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

from pyarrow import fs

from sweep.store.errors import StoreError
from sweep.store.folder import Folder

# A request takes tens of milliseconds wherever the store is: 64 of them one after the other hold a driver up.
REQUESTS_AT_ONCE = 16


class ObjectFolder(Folder):
    """Objects whose keys share a prefix. One object is one request: written whole or not at all, never renamed.

    Credentials come from where the store's own tools find them (such as AWS_ACCESS_KEY_ID); the URI's query sets the
    connection, as in s3://bucket/results?region=eu-central-1 or ?scheme=http&endpoint_override=127.0.0.1:9000.
    """

    def __init__(self, uri: str) -> None:
        """Raises StoreError for a URI with credentials in it, or one that no supported store has."""
        pieces = urlsplit(uri)
        # In abfs://container@account.dfs.core.windows.net/results the name before the @ is the container's.
        user = None if pieces.scheme in ("abfs", "abfss") else pieces.username
        if user or pieces.password or "secret_key" in pieces.query:
            shown = urlunsplit(pieces._replace(netloc=pieces.netloc.rpartition("@")[2], query=""))
            raise StoreError(
                f"{shown}: this address holds credentials, which would end in logs; put them into the environment "
                "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3)"
            )
        self._pieces = pieces._replace(path=pieces.path.rstrip("/"))
        # Without it an upload of several requests begins at once, however small the file turns out to be.
        delayed = "&".join(filter(None, (pieces.query, "allow_delayed_open=true" if pieces.scheme == "s3" else "")))
        try:
            self._fs, self._base = fs.FileSystem.from_uri(urlunsplit(self._pieces._replace(query=delayed)))
        # The second is pyarrow's word for a store that it was built without.
        except (ValueError, NotImplementedError) as error:
            raise StoreError(f"{uri}: not a storage ({error}); allowed are a path, s3://, gs:// and abfs://") from None

    def __str__(self) -> str:
        return urlunsplit(self._pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectFolder) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[type["ObjectFolder"], tuple[str]]:
        return ObjectFolder, (str(self),)

    @property
    def name(self) -> str:
        return self._base.rpartition("/")[2]

    @property
    def path(self) -> None:
        return None

    @property
    def parent(self) -> "ObjectFolder":
        return ObjectFolder(urlunsplit(self._pieces._replace(path=self._pieces.path.rpartition("/")[0])))

    def __truediv__(self, name: str) -> "ObjectFolder":
        return ObjectFolder(urlunsplit(self._pieces._replace(path=f"{self._pieces.path}/{name}")))

    def files(self) -> list[str]:
        return self._names(fs.FileType.File)

    def folders(self) -> list[str]:
        return self._names(fs.FileType.Directory)

    def read(self, name: str) -> bytes:
        with self._fs.open_input_file(self._key(name)) as file:  # a stream would ask for 256 KiB at a time
            data: bytes = file.read()
        return data

    def write(self, name: str, data: bytes) -> None:
        stream = self._fs.open_output_stream(self._key(name))
        stream.write(data)
        stream.close()

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.delete_file(self._key(name))

    def read_each(self, names: Sequence[str]) -> list[bytes]:
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
            return list(requests.map(self.read, names))

    def remove_each(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
            list(requests.map(self.remove, names))

    def modified(self, name: str) -> float:
        info = self._fs.get_file_info(self._key(name))
        if info.type is not fs.FileType.File:
            raise FileNotFoundError(self.file(name))
        return float(info.mtime_ns) / 1e9

    def file(self, name: str) -> str:
        return urlunsplit(self._pieces._replace(path=f"{self._pieces.path}/{name}", query=""))

    def _key(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _names(self, kind: fs.FileType) -> list[str]:
        found = self._fs.get_file_info(fs.FileSelector(self._base, allow_not_found=True))
        return sorted(info.base_name for info in found if info.type is kind and not info.base_name.startswith("_"))
