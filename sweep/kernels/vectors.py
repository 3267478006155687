"""What Numba has no words for: sums of products that stay in a core's registers, and asking for memory ahead of time.

Numba makes vector instructions of loops, but keeps the sums of several rows and columns in memory, where each product
costs a load and a store more. These functions are for compiled ones to call and are written in LLVM's language: vectors
of 8 float32, as AVX2 has them, and 12 of them for sums, as one takes 4 cycles and two begin in each, which leaves 4 of
16 registers for what is multiplied. Other processors give the same numbers, but with other registers not as fast.
"""

from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8
LINE = 16  # float32 values that memory hands over at once

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_EVERYWHERE = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
_BYTES = ir.IntType(8).as_pointer()
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


@cache
def suit_the_processor() -> bool:
    """Whether the vectors here are those of this machine: AVX2, but not AVX-512, with twice as long ones."""
    features = binding.get_host_cpu_features()
    return bool(features.get("avx2") and features.get("fma") and not features.get("avx512f"))


def outer_products(rows: int, vectors: int) -> Callable[..., None]:
    """The function write(a, a_start, b, b_start, length, out, column): out[row, column...] = Σ a[row] * b.

    Each sum is over `length` places. From a_start on, a holds at each place a value of each row, b, from b_start on, a
    value of each of 8 * vectors columns. float32, contiguous; out has two dimensions and is written from `column` on.
    """

    @intrinsic
    def write(_: Any, a: Any, a_start: Any, b: Any, b_start: Any, length: Any, out: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def address(argument: int, *place: Any) -> Any:
                return _address(context, builder, signature.args[argument], values[argument], *place)

            _, a_start, _, b_start, length, _, column = values
            a_at, b_at = (
                cgutils.alloca_once_value(builder, start) for start in (address(0, a_start), address(2, b_start))
            )
            # In memory only until LLVM finds registers for them.
            zero = ir.Constant(_VECTOR, [0.0] * LANES)
            sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(vectors)] for _ in range(rows)]
            for total in chain.from_iterable(sums):
                builder.store(zero, total)
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{LANES}f32"
            )
            with cgutils.for_range(builder, length):
                a_place, b_place = builder.load(a_at), builder.load(b_at)
                b_vectors = [
                    builder.load(_as_vector(builder, builder.gep(b_place, [_INT64(LANES * i)])), align=4)
                    for i in range(vectors)
                ]
                for row in range(rows):
                    value = builder.load(builder.gep(a_place, [_INT64(row)]))
                    a_vector = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INT32(0))
                    a_vector = builder.shuffle_vector(a_vector, a_vector, _EVERYWHERE)
                    for total, b_vector in zip(sums[row], b_vectors, strict=True):
                        builder.store(builder.call(fma, [a_vector, b_vector, builder.load(total)]), total)
                builder.store(builder.gep(a_place, [_INT64(rows)]), a_at)
                builder.store(builder.gep(b_place, [_INT64(LANES * vectors)]), b_at)
            for row in range(rows):
                for i, total in enumerate(sums[row]):
                    place = address(5, _INT64(row), builder.add(column, _INT64(LANES * i)))
                    builder.store(builder.load(total), _as_vector(builder, place), align=4)
            return context.get_dummy_value()

        return types.void(a, a_start, b, b_start, length, out, column), generate

    return write


@intrinsic
def prefetch(_: Any, array: Any, row: Any, column: Any) -> Any:
    """The function prefetch(array, row, column): fetch the line of memory with that place into the core's second cache.

    A place outside the array does no harm.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _address(context, builder, signature.args[0], *values)
        function = ir.FunctionType(ir.VoidType(), [_BYTES, _INT32, _INT32, _INT32])
        to_read, second_cache, data = _INT32(0), _INT32(2), _INT32(1)
        builder.call(
            cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8"),
            [builder.bitcast(place, _BYTES), to_read, second_cache, data],
        )
        return context.get_dummy_value()

    return types.void(array, row, column), generate


def _address(context: Any, builder: Any, kind: Any, value: Any, *place: Any) -> Any:
    """Of a place in one of Numba's arrays, contiguous, whose type is `kind`."""
    array = context.make_array(kind)(context, builder, value)
    index, *others = place
    for extent, i in zip(cgutils.unpack_tuple(builder, array.shape)[1:], others, strict=True):
        index = builder.add(builder.mul(index, extent), i)
    return builder.gep(array.data, [index])


def _as_vector(builder: Any, address: Any) -> Any:
    return builder.bitcast(address, _VECTOR.as_pointer())
