"""A training step that a GPU repeats without Python.

These networks are small: a step is some sixty kernels of a few microseconds each, and Python takes longer to launch
them than a GPU to run them. Recorded once, as a CUDA graph, they are launched all together.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Steps before the recording: libraries set themselves up, and the optimiser makes its state.
FIRST_STEPS = 3


class CapturedStep:
    """Calls `step`, at first as it is, then as a recording of it: the same kernels on the same memory.

    step: takes tensors on the GPU, reads nothing back that the GPU computes, and keeps what it learns in tensors that
    stay where they are. Inputs of other shapes than the first ones go through `step` itself.
    generators: all that it draws from; a recording, too, draws from the seed that a generator has when it is called.
    """

    def __init__(self, step: Callable[..., None], generators: Sequence[torch.Generator]) -> None:
        self._step = step
        self._generators = generators
        self._calls = 0
        self._first: list[torch.Size] | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        # What is recorded must not run on the default stream, and autograd keeps to the stream that it began on.
        self._stream = torch.cuda.Stream()

    def __call__(self, *inputs: Tensor) -> None:
        shapes = [x.shape for x in inputs]
        # An epoch begins with a full batch and may end with a smaller one, which is not worth the recording.
        self._first = self._first or shapes
        if self._graph is None and self._calls >= FIRST_STEPS and shapes == self._first:
            self._record(inputs)
        if self._graph is not None and shapes == self._first:
            for recorded, given in zip(self._inputs, inputs, strict=True):
                recorded.copy_(given)
            self._graph.replay()
            return
        self._calls += 1
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._step(*inputs)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _record(self, inputs: Sequence[Tensor]) -> None:
        """Record, without running it, a step on inputs of these shapes."""
        self._inputs = [x.clone() for x in inputs]
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        # thread_local: Ray's other threads may use the GPU's library meanwhile.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._step(*self._inputs)
        self._graph = graph
