"""Colour changes on float images in [0, 1], each image with its own parameter; formulas as in torchvision.

Every function may overwrite x_NCHW (N, 3, H, W) and returns the changed images; parameters are float (N,).
Held against torchvision.transforms.v2.functional to 1e-5.
"""

import torch
from torch import Tensor

GREY_WEIGHTS = (0.2989, 0.587, 0.114)  # ITU-R BT.601 luma, with the digits torchvision uses


def adjust_brightness(x_NCHW: Tensor, factor_N: Tensor) -> Tensor:
    """x * factor, clamped to [0, 1]."""
    return x_NCHW.mul_(_per_image(factor_N)).clamp_(0, 1)


def adjust_contrast(x_NCHW: Tensor, factor_N: Tensor) -> Tensor:
    """Blend with the mean grey of the image: factor * x + (1 - factor) * mean(grey(x)), clamped."""
    # the mean of the grey image is the grey of the mean colour
    r_N, g_N, b_N = x_NCHW.mean(dim=(2, 3)).unbind(1)
    red, green, blue = GREY_WEIGHTS
    grey_N = red * r_N + green * g_N + blue * b_N
    return x_NCHW.mul_(_per_image(factor_N)).add_(_per_image((1 - factor_N) * grey_N)).clamp_(0, 1)


def adjust_saturation(x_NCHW: Tensor, factor_N: Tensor) -> Tensor:
    """Blend with the grey image: factor * x + (1 - factor) * grey(x), clamped."""
    r_NHW, g_NHW, b_NHW = x_NCHW.unbind(1)
    red, green, blue = GREY_WEIGHTS
    grey_N1HW = (r_NHW * red).add_(g_NHW, alpha=green).add_(b_NHW, alpha=blue).unsqueeze_(1)
    grey_N1HW.mul_(_per_image(1 - factor_N))
    return x_NCHW.mul_(_per_image(factor_N)).add_(grey_N1HW).clamp_(0, 1)


def adjust_hue(x_NCHW: Tensor, shift_N: Tensor) -> Tensor:
    """Turn the hue by `shift` turns in HSV (Smith 1978); saturation and value stay.

    With V the largest and m the smallest channel, the hue lies D = (V - r + g + b - 2m) / (V - m) sixths of a turn
    from red, on green's side if g >= b: the usual three cases by largest channel, as one expression.
    Back in RGB, channel c is V - (V - m) * clamp(2 - 6d, 0, 1), d being the distance in turns between the new hue
    and the one opposite to c (1/2 for red, 5/6 for green, 1/6 for blue): the usual table of six sectors, as one
    expression. Comparisons and tables are what is slow on a CPU: these forms are ten times as fast.
    """
    r_NHW, g_NHW, b_NHW = x_NCHW.unbind(1)
    value_NHW = torch.maximum(r_NHW, g_NHW).maximum(b_NHW)
    lowest_NHW = torch.minimum(r_NHW, g_NHW).minimum(b_NHW)
    range_NHW = value_NHW - lowest_NHW
    from_red_NHW = (value_NHW - r_NHW).add_(g_NHW - lowest_NHW).add_(b_NHW - lowest_NHW)
    # a grey pixel has no hue: 0 / tiny keeps it finite, and its range 0 makes it come back unchanged
    from_red_NHW.div_(range_NHW.clamp_min(torch.finfo(x_NCHW.dtype).tiny)).div_(6)
    hue_NHW = from_red_NHW.copysign_(g_NHW - b_NHW).add_(shift_N.view(-1, 1, 1))

    # From here on x_NCHW is only room to write in: every large temporary not allocated saves page faults.
    opposite_C = torch.arange(3, device=x_NCHW.device) / 3 + 1 / 2  # whole turns do not matter
    torch.sub(hue_NHW.unsqueeze(1), opposite_C.view(1, 3, 1, 1), out=x_NCHW)
    x_NCHW.sub_(x_NCHW.round()).abs_()
    x_NCHW.mul_(-6).add_(2).clamp_(0, 1).mul_(range_NHW.unsqueeze(1))
    return torch.sub(value_NHW.unsqueeze(1), x_NCHW, out=x_NCHW)


def _per_image(parameter_N: Tensor) -> Tensor:
    return parameter_N.view(-1, 1, 1, 1)
