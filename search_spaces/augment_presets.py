"""Named augmentations and the strengths they stand for.

crop_padding: pixels of padding before the random crop. flip_prob: probability of a horizontal flip.
brightness, contrast, saturation: factor drawn from [1 - s, 1 + s]. hue: turn drawn from [-s, s] of a full circle.
"""

STRENGTHS = ("crop_padding", "flip_prob", "brightness", "contrast", "saturation", "hue")

_NONE: dict[str, float] = dict.fromkeys(STRENGTHS, 0.0) | {"crop_padding": 0}
_CROP_FLIP: dict[str, float] = _NONE | {"crop_padding": 4, "flip_prob": 0.5}

AUGMENT_PRESETS: dict[str, dict[str, float]] = {
    "none": _NONE,
    "crop-flip": _CROP_FLIP,
    "full": _CROP_FLIP | {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1},
}
