"""Layer orders: in which sequence a block applies its layers, written as a string of letters.

`l` linear or convolution, `b` batch norm, `r` ReLU, `d` dropout; exactly one `l`, the others at most once, in any
order. That makes 49 orders: 1 of one letter, 6 of two, 18 of three, 24 of four.
"""

from itertools import combinations, permutations

from search_spaces.wording import shown

LAYERS = {"l": "linear or convolution", "b": "batch norm", "r": "ReLU", "d": "dropout"}

ALLOWED_ORDERS = (
    "letters of "
    + ", ".join(f"{letter} ({layer})" for letter, layer in LAYERS.items())
    + "; exactly one l, the others at most once, for example lbrd"
)


def _all_orders() -> tuple[str, ...]:
    others = [letter for letter in LAYERS if letter != "l"]
    subsets = [("l", *subset) for size in range(len(others) + 1) for subset in combinations(others, size)]
    return tuple(order for subset in subsets for order in orders_of("".join(subset)))


def check_layer_order(order: str) -> str:
    """Return `order` unchanged if it is one of VALID_ORDERS; ValueError with what is wrong and allowed otherwise."""
    if not isinstance(order, str):
        fault = "not a string"
    elif unknown := sorted(set(order) - set(LAYERS)):
        fault = f"unknown letter {', '.join(map(repr, unknown[:5]))}"
    elif order.count("l") != 1:
        fault = f"{order.count('l') or 'no'} l"
    elif len(set(order)) != len(order):
        fault = "a letter comes twice"
    else:
        return order
    raise ValueError(f"got layer order {shown(order)} ({fault}); allowed: {ALLOWED_ORDERS}")


def orders_of(letters: str) -> tuple[str, ...]:
    """All permutations of `letters`, sorted. ValueError if the letters do not make a layer order."""
    check_layer_order(letters)
    return tuple(sorted("".join(order) for order in permutations(letters)))


VALID_ORDERS: tuple[str, ...] = _all_orders()
