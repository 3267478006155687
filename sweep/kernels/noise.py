"""Random words by many generators side by side, as a processor's vector instructions compute them."""

import numpy as np

from sweep.kernels.compiled import compiled

# Rounds until a generator has mixed its three words: as many as PractRand takes.
WARM_UP = 15
GENERATORS = 256


@compiled
def fill(seed: int, stream: int, words_N: np.ndarray) -> None:
    """Write words_N (uint32): word i is the next one of generator i % GENERATORS.

    Each is Doty-Humphrey's SFC32 (PractRand 0.95) and starts from three words: seed and stream, both in [0, 2**32),
    and its own number. No two start alike.
    """
    a, b = np.full(GENERATORS, np.uint32(seed)), np.full(GENERATORS, np.uint32(stream))
    c = np.arange(GENERATORS).astype(np.uint32)
    word = np.empty(GENERATORS, np.uint32)
    counter = np.uint32(1)
    for start in range(-WARM_UP * GENERATORS, len(words_N), GENERATORS):
        for i in range(GENERATORS):
            # Numba widens what it adds and shifts.
            word[i] = np.uint32(a[i] + b[i] + counter)
            a[i] = np.uint32(b[i] ^ (b[i] >> 9))
            b[i] = np.uint32(c[i] + (c[i] << 3))
            c[i] = np.uint32(np.uint32((c[i] << 21) | (c[i] >> 11)) + word[i])
        counter = np.uint32(counter + 1)
        if start >= 0:
            for i in range(min(GENERATORS, len(words_N) - start)):
                words_N[start + i] = word[i]
