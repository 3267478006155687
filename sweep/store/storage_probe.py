"""Whether other machines reach the same storage: a file from here that they must find, and one from each of them."""

from secrets import token_hex

from sweep.store.folder import Folder


class StorageProbe:
    """Made where the driver runs, then called on each node, then asked by the driver. Picklable."""

    def __init__(self, folder: Folder) -> None:
        """Leaves a file in `folder`. Raises OSError if that cannot be written."""
        self._folder = folder
        self._token = token_hex(8)
        folder.write(self._name(), self._token.encode())

    def __call__(self, node_id: str) -> None:
        """On a node: find the driver's file, and leave one. Raises OSError saying what is wrong."""
        try:
            found = self._folder.read(self._name()).decode()
        except FileNotFoundError:
            raise OSError(
                f"--storage {self._folder}: is not the driver's; what the driver wrote is not there"
            ) from None
        except OSError as error:
            raise OSError(f"--storage {self._folder}: cannot be read ({error.strerror or error})") from None
        if found != self._token:
            raise OSError(f"--storage {self._folder}: what the driver wrote reads differently")
        try:
            self._folder.write(self._name(node_id), node_id.encode())
        except OSError as error:
            raise OSError(f"--storage {self._folder}: cannot be written ({error.strerror or error})") from None
        self._folder.remove(self._name(node_id))

    def clear(self) -> None:
        """Remove the driver's file."""
        self._folder.remove(self._name())

    def _name(self, suffix: str = "driver") -> str:
        return f"_probe-{self._token}-{suffix}"
