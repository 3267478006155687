"""One encoded image to 32 x 32 RGB."""

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageOps

from sweep.data.errors import DataError
from sweep.data.raw import IMAGE_SHAPE

_, HEIGHT, WIDTH = IMAGE_SHAPE
BITS_PER_SAMPLE = 258  # a tag of TIFF


def decode_image(data: bytes, origin: str) -> np.ndarray:
    """Decode PNG, JPEG, ... bytes of any size and colour mode to uint8 (32, 32, 3).

    Raises DataError, opening with origin, if they are not a whole image.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return rgb32(image)
    except Exception as error:  # decoders raise anything from struct.error to SyntaxError on damaged bytes
        raise DataError(f"{origin}: not a readable image ({error}); replace or remove it") from error


def rgb32(image: Image.Image) -> np.ndarray:
    """Any PIL image as uint8 (32, 32, 3): three channels, alpha dropped, upright as its EXIF has it, resized bilinearly
    with antialiasing.

    Raises ValueError for one of floats, whose range nothing tells.
    """
    image.load()  # raises for damaged pixels, and does so but once
    with suppress(Exception):  # damaged EXIF tells nothing
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "F":
        raise ValueError("its pixels are floats; save it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):  # grey, which convert would clip at 255
        grey = np.asarray(image, dtype=np.int64)
        # 16 bits have their whole range, however dark the image; only of TIFF's 32 bits nobody knows.
        of_32_bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE) == (32,)
        of_8_bits = of_32_bits and grey.min() >= 0 and grey.max() <= 255
        image = Image.fromarray((grey if of_8_bits else grey.clip(0, 65535) >> 8).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode != "RGB":
        image = image.convert("RGB")
    if image.size != (WIDTH, HEIGHT):
        image = image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return np.asarray(image)
