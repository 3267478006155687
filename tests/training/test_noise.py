"""The noise that dropout draws from."""

import numpy as np
import torch

from sweep.training.noise import Noise

CPU = torch.device("cpu")


def drawn(seed: int, *counts: int) -> list[torch.Tensor]:
    noise = Noise(CPU)
    noise.seed(seed)
    return [noise(count) for count in counts]


def test_the_seed_decides_the_draws() -> None:
    first, again, other = (drawn(seed, 1001, 77) for seed in (3, 3, 4))
    assert [len(values) for values in first] == [1001, 77]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0][:77], first[1])


def test_the_bits_are_those_of_256_generators_side_by_side() -> None:
    """Against SFC32 (Doty-Humphrey, PractRand) in Python's integers."""

    def words(*seeds: int, count: int) -> list[int]:
        (a, b, c), made = seeds, []
        for counter in range(1, 16 + count):
            word = (a + b + counter) % 2**32
            a, b = b ^ (b >> 9), (c + (c << 3)) % 2**32
            c = (((c << 21) | (c >> 11)) + word) % 2**32
            made.append(word)
        return made[15:]

    seed = 0x9E3779B9
    for draw, noise in enumerate(drawn(seed, 1500, 5000)):
        drawn_words = noise.numpy().view(np.uint32).reshape(-1)
        for generator in range(256):
            mine = drawn_words[generator::256].tolist()
            assert mine == words(seed, draw, generator, count=len(mine))


def test_all_65536_values_are_equally_likely() -> None:
    (values,) = drawn(5, 2**16 * 100)
    assert values.dtype == torch.int16
    counts = torch.bincount(values.int() + 2**15, minlength=2**16).double()
    # Pearson's chi-squared over 65535 degrees of freedom, near normal: within five standard deviations.
    chi2 = ((counts - 100) ** 2 / 100).sum().item()
    assert abs(chi2 - 65535) < 5 * (2 * 65535) ** 0.5


def test_neighbours_and_seeds_are_not_correlated() -> None:
    n = 400_000
    (a,), (b,) = drawn(1, n), drawn(2, n)
    x, y = a.double() / 2**15, b.double() / 2**15
    # The product of two uniform values in [-1, 1) has the standard deviation 1/3.
    for other in (y, x.roll(1), x.roll(2), x.roll(3), x.roll(4)):
        assert abs((x * other).mean().item()) < 5 / 3 / n**0.5
