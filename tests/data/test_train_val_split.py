import numpy as np
import pytest

from sweep.data.hold_out import held_out
from sweep.data.split import seeded_permutation, split_indices


@pytest.mark.parametrize("n", [10, 11, 14, 1438, 50_000])
def test_train_and_val_are_disjoint_and_together_everything(n):
    split = split_indices(n, seed=3)
    assert np.array_equal(np.sort(np.concatenate([split.train, split.val])), np.arange(n))
    assert len(split.val) == n // 5
    assert {part.dtype for part in split} == {np.dtype(np.int64)}


def test_cifar10_is_split_40000_to_10000():
    split = split_indices(50_000, seed=0)
    assert [len(part) for part in split] == [40_000, 10_000, 10_000]


def test_the_seed_alone_decides_the_split():
    first, again, other = (split_indices(1000, seed=seed) for seed in (2**63 + 1, 2**63 + 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    # two random fifths of 1000 share 40 on average, with a standard deviation of 5
    assert len(np.intersect1d(first.val, other.val)) < 70


def test_train_eval_is_part_of_train_and_as_large_as_val():
    split = split_indices(1000, seed=0)
    assert np.isin(split.train_eval, split.train).all()
    assert len(np.unique(split.train_eval)) == len(split.val) == 200


def test_a_smaller_train_size_is_nested_in_a_larger_one_and_leaves_val_alone():
    small, large = (split_indices(1000, seed=0, train_size=size) for size in (100, 500))
    assert len(small.train) == 100
    assert np.array_equal(small.train, large.train[:100])
    assert np.array_equal(small.val, large.val)
    assert np.array_equal(small.train_eval, small.train), "all of train, as it is smaller than val"


@pytest.mark.parametrize("train_size", [-1, 0, 1, 801])
def test_a_train_size_out_of_range_is_an_error_that_gives_the_range(train_size):
    with pytest.raises(ValueError, match=rf"got {train_size}; it lies in \[2, 800\]"):
        split_indices(1000, seed=0, train_size=train_size)


@pytest.mark.parametrize("n", [0, 9])
def test_too_few_images_to_split_is_an_error(n):
    with pytest.raises(ValueError, match="at least 10"):
        split_indices(n, seed=0)


def test_the_permutation_is_the_same_on_every_machine_and_version():
    assert seeded_permutation(10, 0).tolist() == [3, 2, 1, 8, 6, 0, 7, 4, 5, 9]
    # uniform: over 6000 seeds each of the 6 orders of 3 comes 1000 times, standard deviation 29
    orders = [tuple(seeded_permutation(3, seed)) for seed in range(6000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert all(abs(count - 1000) < 4.5 * 29 for count in counts)


def test_the_hold_out_takes_a_fifth_of_every_class_always_the_same():
    labels = np.repeat([0, 1, 2], [100, 50, 5])
    is_test = held_out(labels, "here")
    assert np.bincount(labels[is_test]).tolist() == [20, 10, 1]
    assert np.array_equal(is_test, held_out(labels, "here"))
