"""What Numba has no words for: transposing, and sums of products that stay in registers while memory is fetched.

Numba makes vector instructions of loops, but keeps the sums of several rows and columns in memory, where each product
costs a load and a store more. These functions are for compiled ones to call and are written in LLVM's language: vectors
of 8 float32, as AVX2 has them, and 12 of them for sums, as one takes 4 cycles and two begin in each, which leaves 4 of
16 registers for what is multiplied. Other processors give the same numbers, but with other registers not as fast.

Instead of a float32 a place may hold two int16 as one int32, a word; AVX2 multiplies and adds twice as many of these.
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
_WORDS = ir.VectorType(ir.IntType(32), LANES)
_HALVES, _PRODUCTS = (ir.VectorType(ir.IntType(bits), 2 * LANES) for bits in (16, 32))
_BYTES = ir.IntType(8).as_pointer()
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


@cache
def suit_the_processor() -> bool:
    """Whether the vectors here are those of this machine: AVX2, but not AVX-512, with twice as long ones."""
    features = binding.get_host_cpu_features()
    return bool(features.get("avx2") and features.get("fma") and not features.get("avx512f"))


def outer_products(rows: int, vectors: int, *, add: bool = False) -> Callable[..., None]:
    """The function write(a, a_start, b, b_start, length, out, row, column, ahead, ahead_row, ahead_column, stride):
    out[row + r, column...] = Σ a[r] * b, or += with `add`.

    Each sum is over `length` places. From a_start on, a holds at each place a value of each row, b, from b_start on, a
    value of each of 8 * vectors columns. Meanwhile memory is fetched into the core's second cache: of `ahead` from that
    row and column on, `stride` values for each place. a, b and out are float32, or int32: then those of a and b are
    words, and the product of two is that of their first halves and that of their second, added. `ahead` is float32. All
    are contiguous; out and ahead have two dimensions.
    """

    @intrinsic
    def write(
        _: Any,
        a: Any,
        a_start: Any,
        b: Any,
        b_start: Any,
        length: Any,
        out: Any,
        row: Any,
        column: Any,
        ahead: Any,
        ahead_row: Any,
        ahead_column: Any,
        stride: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def address(argument: int, *place: Any) -> Any:
                return _address(context, builder, signature.args[argument], values[argument], *place)

            _, a_start, _, b_start, length, _, row, column, _, *ahead_start, stride = values
            starts = address(0, a_start), address(2, b_start), address(8, *ahead_start)
            a_at, b_at, ahead_at = (cgutils.alloca_once_value(builder, start) for start in starts)
            of_words = signature.args[0].dtype == types.int32
            kind, plus, add_product = (_WORDS, builder.add, _add_words) if of_words else (_VECTOR, builder.fadd, _fma)
            # In memory only until LLVM finds registers for them.
            zero = ir.Constant(kind, [0 if of_words else 0.0] * LANES)
            sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(vectors)] for _ in range(rows)]
            for total in chain.from_iterable(sums):
                builder.store(zero, total)
            with cgutils.for_range(builder, length):
                a_place, b_place, ahead_place = builder.load(a_at), builder.load(b_at), builder.load(ahead_at)
                _prefetch(builder, ahead_place)
                b_vectors = [
                    builder.load(_as_vector(builder, builder.gep(b_place, [_INT64(LANES * i)]), kind), align=4)
                    for i in range(vectors)
                ]
                for r in range(rows):
                    a_vector = _everywhere(builder, builder.load(builder.gep(a_place, [_INT64(r)])))
                    for total, b_vector in zip(sums[r], b_vectors, strict=True):
                        builder.store(add_product(builder, a_vector, b_vector, builder.load(total)), total)
                builder.store(builder.gep(a_place, [_INT64(rows)]), a_at)
                builder.store(builder.gep(b_place, [_INT64(LANES * vectors)]), b_at)
                builder.store(builder.gep(ahead_place, [stride]), ahead_at)
            for r in range(rows):
                for i, total in enumerate(sums[r]):
                    place = address(5, builder.add(row, _INT64(r)), builder.add(column, _INT64(LANES * i)))
                    place, vector = _as_vector(builder, place, kind), builder.load(total)
                    if add:
                        vector = plus(builder.load(place, align=4), vector)
                    builder.store(vector, place, align=4)
            return context.get_dummy_value()

        arguments = a, a_start, b, b_start, length, out, row, column, ahead, ahead_row, ahead_column, stride
        return types.void(*arguments), generate

    return write


@intrinsic
def transpose(_: Any, a: Any, row: Any, column: Any, out: Any, start: Any, stride: Any) -> Any:
    """The function transpose(a, row, column, out, start, stride): out[start + stride * j + i] = a[row + i, column + j].

    i and j run from 0 to 7, in the order of j: what a stride below 8 writes too much for one, the next writes over. For
    rows that a does not have, its last one. float32, or int32 likewise, as bits are only moved; contiguous. a has two
    dimensions, out one.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, row, column, *where = values
        array, out = (context.make_array(signature.args[i])(context, builder, values[i]) for i in (0, 3))
        places = _places_of_rows(builder, array, row, column)
        rows = [builder.load(_as_vector(builder, place), align=4) for place in places]
        _store_columns(builder, rows, out.data, *where[1:])
        return context.get_dummy_value()

    return types.void(a, row, column, out, start, stride), generate


@intrinsic
def transpose_rounded(_: Any, a: Any, factors: Any, row: Any, column: Any, out: Any, start: Any, stride: Any) -> Any:
    """The function transpose_rounded(a, factors, row, column, out, start, stride), likewise, of words.

    The first half of out[start + stride * j + i] is a[row + i, column + 2 * j] * factors[i], rounded, the second that
    of the next column. a and factors are float32, out int32. What is not finite, or above 2**22, becomes any number.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, row, column, *where = values
        array, each, out = (context.make_array(signature.args[i])(context, builder, values[i]) for i in (0, 1, 4))
        rows = []
        for i, place in enumerate(_places_of_rows(builder, array, row, column)):
            factor = _everywhere(builder, builder.load(builder.gep(each.data, [_INT64(i)])))
            halves = []
            for first in (0, LANES):
                vector = builder.load(_as_vector(builder, builder.gep(place, [_INT64(first)])), align=4)
                # Above 2**23 a float32 has no bits for a fraction: the last ones are those of the nearest number.
                rounded = _fma(builder, vector, factor, ir.Constant(_VECTOR, [1.5 * 2**23] * LANES))
                halves.append(builder.bitcast(rounded, _WORDS))
            numbers = ir.Constant(ir.VectorType(_INT32, 2 * LANES), [*range(2 * LANES)])
            rows.append(builder.bitcast(builder.trunc(builder.shuffle_vector(*halves, numbers), _HALVES), _VECTOR))
        _store_columns(builder, rows, out.data, *where[1:])
        return context.get_dummy_value()

    return types.void(a, factors, row, column, out, start, stride), generate


def _places_of_rows(builder: Any, array: Any, row: Any, column: Any) -> list[Any]:
    """Where 8 rows of an array of two dimensions have that column; for rows that it does not have, its last one."""
    height, width = cgutils.unpack_tuple(builder, array.shape)
    last = builder.sub(height, _INT64(1))
    places = []
    for i in range(LANES):
        there = builder.add(row, _INT64(i))
        there = builder.select(builder.icmp_signed("<", there, last), there, last)
        places.append(builder.gep(array.data, [builder.add(builder.mul(there, width), column)]))
    return places


def _store_columns(builder: Any, rows: list[Any], out: Any, start: Any, stride: Any) -> None:
    """Of 8 vectors the first values, the second ones, and so on, each `stride` behind those before."""
    for bit in (1, 2, 4):
        # Exchanges this bit between the number of a vector and that of a lane; when all are, rows are columns.
        for i in range(LANES):
            if not i & bit:
                pair = rows[i], rows[i | bit]
                for chosen in (0, bit):
                    lanes = [(lane & ~bit | chosen) + (LANES if lane & bit else 0) for lane in range(LANES)]
                    rows[i | chosen] = builder.shuffle_vector(*pair, ir.Constant(_WORDS, lanes))
    for j, vector in enumerate(rows):
        place = builder.gep(out, [builder.add(start, builder.mul(stride, _INT64(j)))])
        builder.store(vector, _as_vector(builder, place), align=4)


def _everywhere(builder: Any, value: Any) -> Any:
    """A vector of this value."""
    kind = ir.VectorType(value.type, LANES)
    vector = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _INT32(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(_WORDS, [0] * LANES))


def _fma(builder: Any, a: Any, b: Any, total: Any) -> Any:
    function = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    fma = cgutils.get_or_insert_function(builder.module, function, f"llvm.fma.v{LANES}f32")
    return builder.call(fma, [a, b, total])


def _add_words(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """In the form that LLVM knows as AVX2's pmaddwd."""
    a, b = (builder.sext(builder.bitcast(words, _HALVES), _PRODUCTS) for words in (a, b))
    products = builder.mul(a, b)
    first, second = (
        builder.shuffle_vector(products, products, ir.Constant(_WORDS, [*range(half, 2 * LANES, 2)])) for half in (0, 1)
    )
    return builder.add(total, builder.add(first, second))


def _prefetch(builder: Any, address: Any) -> None:
    function = ir.FunctionType(ir.VoidType(), [_BYTES, _INT32, _INT32, _INT32])
    to_read, second_cache, data = _INT32(0), _INT32(2), _INT32(1)
    builder.call(
        cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8"),
        [builder.bitcast(address, _BYTES), to_read, second_cache, data],
    )


def _address(context: Any, builder: Any, kind: Any, value: Any, *place: Any) -> Any:
    """Of a place in one of Numba's arrays, contiguous, whose type is `kind`."""
    array = context.make_array(kind)(context, builder, value)
    index, *others = place
    for extent, i in zip(cgutils.unpack_tuple(builder, array.shape)[1:], others, strict=True):
        index = builder.add(builder.mul(index, extent), i)
    return builder.gep(array.data, [index])


def _as_vector(builder: Any, address: Any, kind: Any = _VECTOR) -> Any:
    return builder.bitcast(address, kind.as_pointer())
