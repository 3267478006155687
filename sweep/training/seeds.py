"""Where a trial's random numbers come from.

Every purpose has its own seed, hashed from the sweep's seed and the replicate, never from the configuration or the
trial id: two configurations of one replicate see the same split, the same batches and the same noise, so that their
difference is theirs. Within a trial, noise is keyed by epoch and step; a trial continued from a checkpoint needs no
generator state to go on as if it had never stopped.
"""

import hashlib
from typing import Literal

Purpose = Literal["split", "init", "order", "augment", "dropout", "decompose", "fresh"]


def seed_for(sweep_seed: int, replicate: int, purpose: Purpose, *keys: int) -> int:
    """A seed in [0, 2**32); `keys` are an epoch, or an epoch and a step; for "fresh" the round of a final choice.

    32 bits because that is what torch's CPU generator takes of a seed.
    """
    text = ":".join([str(sweep_seed), str(replicate), purpose, *map(str, keys)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
