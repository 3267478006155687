"""Entries of `space` that must be refused: id, what stands under `space`, and what the message must say."""

MALFORMED_SPACES: list[tuple[str, str, tuple[str, ...]]] = [
    # domains
    ("reversed range", "lr: {loguniform: [0.1, 0.01]}", ("space.lr.loguniform", "low 0.1 is above high 0.01")),
    ("range of one value", "lr: {uniform: [0.1, 0.1]}", ("space.lr.uniform", "both 0.1", "allowed: [low, high]")),
    ("range of three", "lr: {uniform: [1, 2, 3]}", ("space.lr.uniform: got [1, 2, 3]", "allowed: [low, high]")),
    ("range is a number", "lr: {uniform: 3}", ("space.lr.uniform: got 3", "allowed: [low, high]")),
    ("range of words", "lr: {uniform: [a, b]}", ("space.lr.uniform: low got 'a'", "allowed: a number in (0, 100]")),
    (
        "log of zero",
        "weight_decay: {loguniform: [0, 1]}",
        ("space.weight_decay.loguniform", "low is 0", "allowed: low > 0"),
    ),
    ("empty choice", "layer_order: {choice: []}", ("space.layer_order.choice: got []", "allowed: a list")),
    ("choice is a word", "augment: {choice: none}", ("space.augment.choice: got 'none'", "allowed: a list")),
    ("choice twice", "lr: {choice: [0.1, 0.1]}", ("space.lr.choice[1]: got 0.1", "allowed: each value once")),
    ("list without choice", "lr: [0.1, 0.2]", ("space.lr: got [0.1, 0.2]", "allowed", "{choice: [a, b]}")),
    ("two domains", "lr: {uniform: [1, 2], choice: [1]}", ("space.lr: got {", "allowed: exactly one of")),
    ("no domain", "lr: {}", ("space.lr: got {}", "allowed: exactly one of")),
    ("one point", "lr: {uniform: [1, 2], points: 1}", ("space.lr.points: got 1", "allowed: an integer from 2")),
    ("points of a choice", "lr: {choice: [1], points: 2}", ("space.lr.points: got 2", "allowed: only beside")),
    ("too many points", "crop_padding: {int: [1, 3], points: 9}", ("space.crop_padding.points: got 9", "allowed")),
    ("range for a name", "augment: {uniform: [0, 1]}", ("space.augment.uniform", "got [0, 1]", "allowed: choice")),
    ("range for an integer", "crop_padding: {uniform: [0, 4]}", ("space.crop_padding.uniform", "allowed: int")),
    # numbers
    ("null value", "lr:", ("space.lr: got null", "allowed: a number in (0, 100]")),
    ("true for a number", "lr: true", ("space.lr: got true", "allowed: a number in (0, 100]")),
    ("not a number", "lr: .nan", ("space.lr: got nan", "not finite", "allowed: a number in (0, 100]")),
    ("infinite", "weight_decay: .inf", ("space.weight_decay: got inf", "not finite", "allowed: a number >= 0")),
    ("lr zero", "lr: 0", ("space.lr: got 0", "allowed: a number in (0, 100]")),
    ("negative drop rate", "drop_rate: -0.1", ("space.drop_rate: got -0.1", "allowed: a number in [0, 1)")),
    ("drop rate one", "drop_rate: 1", ("space.drop_rate: got 1", "allowed: a number in [0, 1)")),
    ("range to one", "drop_rate: {uniform: [0, 1]}", ("space.drop_rate.uniform: high got 1", "allowed", "[0, 1)")),
    ("momentum zero", "momentum: 0", ("space.momentum: got 0", "allowed: a number in (0, 1]")),
    ("momentum above one", "momentum: 1.01", ("space.momentum: got 1.01", "allowed: a number in (0, 1]")),
    ("momentum choice", "momentum: {choice: [0.1, 2]}", ("space.momentum.choice[1]: got 2", "allowed", "(0, 1]")),
    ("hue too strong", "hue: 0.6", ("space.hue: got 0.6", "allowed: a number in [0, 0.5]")),
    ("part of a pixel", "crop_padding: 2.5", ("space.crop_padding: got 2.5", "allowed: an integer in [0, 16]")),
    # words
    ("order with two l", "layer_order: lbl", ("space.layer_order", "'lbl' (2 l)", "allowed", "exactly one l")),
    ("order without l", "layer_order: brd", ("space.layer_order", "'brd' (no l)", "allowed", "exactly one l")),
    ("order with an x", "layer_order: lbx", ("space.layer_order", "'lbx'", "unknown letter 'x'", "allowed:")),
    ("order with two b", "layer_order: lbb", ("space.layer_order", "'lbb'", "a letter comes twice", "allowed:")),
    ("permutations", "layer_order: {permutations: bl3}", ("space.layer_order.permutations", "'bl3'", "allowed:")),
    ("unknown augmentation", "augment: flip", ("space.augment: got 'flip'", "allowed: one of none, crop-flip")),
    # beside the top level
    (
        "batch size twice",
        "batch_size: {choice: [8, 9]}\nbatch_size: 10",
        ("batch_size: got 10", "allowed: one of the two"),
    ),
    ("optimizer twice", "optimizer: sgd\noptimizer: adam", ("optimizer: got 'adam'", "allowed: one of the two")),
]
