"""What a round of a final choice has to know of the search that it goes back to."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FinalRound:
    """search: the manifest of the search. kind: round1, round2, ..., final; only the last meets the test images.

    settings: of the whole choice, which must stay as they are. configurations: how many the search had to choose from.
    finalists: by configuration_id, the val_acc and epochs_run that the search saw.
    """

    search: dict[str, Any]
    kind: str
    settings: dict[str, Any]
    configurations: int
    finalists: dict[str, dict[str, Any]]

    def note(self) -> dict[str, Any]:
        """For sweep.json."""
        return {
            "search": self.search["sweep_id"],
            "kind": self.kind,
            "settings": self.settings,
            "configurations": self.configurations,
            "finalists": self.finalists,
        }


def looks_at_test_images(manifest: dict[str, Any]) -> bool:
    """Whether this sweep is the last round of a final choice."""
    return bool(manifest.get("final_round", {}).get("kind") == "final")
