"""Batch norm, ReLU and dropout that follow each other, as one step of autograd with its gradient in closed form.

On a CPU the activations of a batch do not fit into a core's cache (13 MB after the first convolution), and between the
convolutions a step waits for memory. There a run of these layers is one compiled loop, elsewhere torch's operations.

Shapes: R rows (images, or the places of all images), C features.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sweep.kernels import pointwise as kernels

if TYPE_CHECKING:
    from sweep.models.dropout import Dropout

# Sums over a batch lose too many digits in these, and noise its levels; torch.autocast hands them to us.
HALF_DTYPES = (torch.bfloat16, torch.float16)
NO_NOISE = torch.empty(0, 0, dtype=torch.int16)


def pointwise_run(
    x: Tensor,
    *,
    norm: tuple[Tensor | None, Tensor | None, float] | None = None,
    rectify: bool = False,
    dropout: "Dropout | None" = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """drop(relu(norm(x))) while training, each part optional. Dropout before ReLU would give the same.

    x: float (N, C, ...); half precision is computed in float32. norm: weight_C, bias_C (None for 1 and 0), eps.
    Returns y, in the shape and memory format of x, and the batch's mean_C and biased var_C, which carry no gradient
    (None without norm).
    """
    weight_C, bias_C, eps = norm or (None, None, None)
    run = CompiledRun if x.device.type == "cpu" else TorchRun
    arguments = weight_C, bias_C, eps, rectify, dropout
    if x.dim() == 2 and x.dtype not in HALF_DTYPES:
        return run.apply(x, *arguments)
    features_last = (x.float() if x.dtype in HALF_DTYPES else x).movedim(1, -1)
    y_RC, mean_C, var_C = run.apply(features_last.reshape(-1, x.shape[1]), *arguments)
    y = y_RC.view(features_last.shape).movedim(-1, 1).to(x.dtype)
    return (y.contiguous() if x.is_contiguous() else y), mean_C, var_C


def affine(x_RC: Tensor, weight_C: Tensor | None, bias_C: Tensor | None) -> tuple[Tensor, Tensor]:
    """Batch norm's weight and bias, or 1 and 0, in the type of x_RC and without a gradient."""

    def given_or(value: int, given_C: Tensor | None) -> Tensor:
        return x_RC.new_full((x_RC.shape[1],), value) if given_C is None else given_C.detach().to(x_RC.dtype)

    return given_or(1, weight_C), given_or(0, bias_C)


class CompiledRun(torch.autograd.Function):
    """The run as compiled loops, on a CPU."""

    @staticmethod
    def forward(
        ctx: Any,
        x_RC: Tensor,
        weight_C: Tensor | None,
        bias_C: Tensor | None,
        eps: float | None,
        rectify: bool,
        dropout: "Dropout | None",
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        x_RC = x_RC.detach().contiguous()
        noise_RC, threshold, ctx.factor = NO_NOISE, 0, 1.0
        if dropout:
            noise_RC = dropout.draw(x_RC)
            threshold, ctx.factor = dropout.threshold_and_factor()
        y_RC = torch.empty_like(x_RC)
        passed_RC = torch.empty(x_RC.shape, dtype=torch.bool)
        x, noise, y, passed = x_RC.numpy(), noise_RC.numpy(), y_RC.numpy(), passed_RC.numpy()
        how = rectify, dropout is not None, noise, threshold, ctx.factor
        weight, bias = (constant_C.numpy() for constant_C in affine(x_RC, weight_C, bias_C))
        if eps is None:  # then these are 1 and 0
            kernels.forward(x, bias, weight, bias, *how, y, passed)
            ctx.save_for_backward(passed_RC)
            return y_RC, None, None
        norm_4C = x_RC.new_empty(4, x_RC.shape[1])
        kernels.norm_forward(x, weight, bias, float(eps), *how, norm_4C.numpy(), y, passed)
        mean_C, var_C = norm_4C[0], norm_4C[1]
        ctx.mark_non_differentiable(mean_C, var_C)
        ctx.save_for_backward(passed_RC, x_RC, norm_4C)
        return y_RC, mean_C, var_C

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_RC: Tensor, _dmean: Tensor, _dvar: Tensor) -> tuple[Tensor | None, ...]:
        """First back through dropout and ReLU, then through batch norm (`kernels.norm_gradients`)."""
        passed_RC, *of_norm = ctx.saved_tensors
        dy_RC = dy_RC.contiguous()
        g = dy_RC.numpy(), passed_RC.numpy(), ctx.factor
        dx_RC = torch.empty_like(dy_RC)
        if not of_norm:
            kernels.backward_where_passed(*g, dx_RC.numpy())
            return dx_RC, None, None, None, None, None
        gradients_2C = dy_RC.new_empty(2, dy_RC.shape[1])
        with_dx, with_weight, with_bias, *_ = ctx.needs_input_grad
        x, norm, dx, gradients = (tensor.numpy() for tensor in (*of_norm, dx_RC, gradients_2C))
        kernels.norm_backward(*g, x, norm, with_dx, dx, gradients)
        return (
            dx_RC if with_dx else None,
            gradients_2C[0] if with_weight else None,
            gradients_2C[1] if with_bias else None,
            None,
            None,
            None,
        )


class TorchRun(torch.autograd.Function):
    """The run as torch's operations, on any device."""

    @staticmethod
    def forward(
        ctx: Any,
        x_RC: Tensor,
        weight_C: Tensor | None,
        bias_C: Tensor | None,
        eps: float | None,
        rectify: bool,
        dropout: "Dropout | None",
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        mean_C = var_C = rstd_C = scale_C = None
        if eps is not None:
            mean_C = x_RC.sum(0) / len(x_RC)
            # The mean is taken off before squaring: E[x²] - E[x]² cancels badly in float32.
            var_C = (x_RC - mean_C).square_().sum(0) / len(x_RC)
            rstd_C = torch.rsqrt(var_C + eps)
            scale_C = rstd_C if weight_C is None else rstd_C * weight_C
            ctx.mark_non_differentiable(mean_C, var_C)
            y_RC = (x_RC - mean_C).mul_(scale_C)
            if bias_C is not None:
                y_RC.add_(bias_C)
        else:
            y_RC = x_RC.clone()
        if rectify:
            y_RC.clamp_min_(0)
        # With ReLU, y > 0 tells where the gradient passes; only without it are dropout's factors needed again.
        factor_RC = None
        if dropout:
            factor_RC = dropout.fill(torch.empty_like(y_RC))
            y_RC.mul_(factor_RC)
        ctx.save_for_backward(
            None if eps is None else x_RC,
            mean_C,
            rstd_C,
            scale_C,
            y_RC if rectify else None,
            None if rectify else factor_RC,
        )
        # Not expanded to the rows: it lies on the CPU, where a GPU reads a lone value only.
        ctx.scale = dropout.scale(x_RC) if rectify and dropout else None
        return y_RC, mean_C, var_C

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_RC: Tensor, _dmean: Tensor, _dvar: Tensor) -> tuple[Tensor | None, ...]:
        """As `CompiledRun.backward`, with the formulas of `kernels.norm_gradients`."""
        x_RC, mean_C, rstd_C, scale_C, y_RC, factor_RC = ctx.saved_tensors
        g_RC = dy_RC.clone() if y_RC is None else torch.ops.aten.threshold_backward(dy_RC, y_RC, 0)
        factor = factor_RC if factor_RC is not None else ctx.scale
        if factor is not None:
            g_RC.mul_(factor)
        if x_RC is None:
            return g_RC, None, None, None, None, None
        dbias_C = g_RC.sum(0)
        dweight_C = (x_RC - mean_C).mul_(g_RC).sum(0) * rstd_C
        dx_RC = None
        if ctx.needs_input_grad[0]:
            slope_C = rstd_C * dweight_C / len(x_RC)
            dx_RC = g_RC.sub_((x_RC - mean_C).mul_(slope_C).add_(dbias_C / len(x_RC))).mul_(scale_C)
        return (
            dx_RC,
            dweight_C if ctx.needs_input_grad[1] else None,
            dbias_C if ctx.needs_input_grad[2] else None,
            None,
            None,
            None,
        )
