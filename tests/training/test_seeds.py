"""Seeds: one per purpose, the same everywhere, never of the configuration."""

from sweep.training.seeds import seed_for


def test_seeds_do_not_change_between_versions() -> None:
    assert seed_for(0, 0, "init") == 3300182480
    assert seed_for(0, 0, "dropout", 3, 17) == 3068820377


def test_every_argument_changes_the_seed() -> None:
    seeds = [
        seed_for(0, 0, "order", 1),
        seed_for(1, 0, "order", 1),
        seed_for(0, 1, "order", 1),
        seed_for(0, 0, "augment", 1),
        seed_for(0, 0, "order", 2),
        seed_for(0, 0, "order", 1, 1),
    ]
    assert len(set(seeds)) == len(seeds)


def test_seeds_fill_thirty_two_bits_evenly() -> None:
    seeds = [seed_for(0, 0, "dropout", epoch, step) for epoch in range(50) for step in range(100)]
    assert all(0 <= seed < 2**32 for seed in seeds)
    for bit in range(32):
        ones = sum(seed >> bit & 1 for seed in seeds)
        assert abs(ones - 2500) < 5 * 35.4  # five standard deviations of 5,000 fair coins
