from itertools import permutations

import pytest

from search_spaces.layer_order import VALID_ORDERS, check_layer_order, orders_of


def test_there_are_49_different_valid_orders_each_with_exactly_one_l() -> None:
    assert len(VALID_ORDERS) == len(set(VALID_ORDERS)) == 49
    assert [[len(order) for order in VALID_ORDERS].count(letters) for letters in (1, 2, 3, 4)] == [1, 6, 18, 24]
    assert all(order.count("l") == 1 for order in VALID_ORDERS)


def test_check_accepts_exactly_the_valid_orders_among_all_words_up_to_four_letters() -> None:
    words = {"".join(word) for size in range(5) for word in permutations("llbbrrddx", size)}
    assert words > set(VALID_ORDERS)
    assert [check_layer_order(word) for word in VALID_ORDERS] == list(VALID_ORDERS)
    for word in words - set(VALID_ORDERS):
        with pytest.raises(ValueError, match=rf"got layer order '{word}' .*exactly one l"):
            check_layer_order(word)


def test_orders_of_gives_all_permutations_sorted() -> None:
    assert orders_of("lbrd") == tuple(order for order in sorted(VALID_ORDERS) if len(order) == 4)
    assert orders_of("rl") == ("lr", "rl")
    assert orders_of("l") == ("l",)


@pytest.mark.parametrize("letters", ["", "brd", "ll", "lbb", "lx", 3])
def test_orders_of_refuses_letters_that_make_no_order(letters: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        orders_of(letters)
