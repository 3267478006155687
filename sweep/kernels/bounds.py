"""What a compiled loop checks itself: it reads and writes wherever an index says."""


class OutOfBoundsError(IndexError):
    """Its arguments: of what, the index that was given, and how many there are."""

    def __str__(self) -> str:
        what, index, count = self.args
        return f"{what} {index} is out of bounds; allowed are 0 to {count - 1}"
