"""Whose fault an error is: the trial's, which is recorded, or the machine's, on which it is tried again elsewhere."""

import pytest
import torch

from sweep.data.errors import DataError
from sweep.tuning.out_of_memory import ran_out_of_memory
from sweep.tuning.trainable import _dataset, is_of_the_machine


def test_a_node_whose_files_are_others_is_refused() -> None:
    with pytest.raises(DataError, match=r"dataset digits: has fingerprint .*, and that-of-the-driver where"):
        _dataset("digits", "that-of-the-driver")


def test_a_gpu_at_fault_is_the_machine_s_and_a_wrong_shape_the_trial_s() -> None:
    assert is_of_the_machine(torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    assert not is_of_the_machine(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_data_that_a_node_lacks_and_memory_beside_torch_s_own_are_the_machine_s() -> None:
    assert is_of_the_machine(DataError("dataset 'parquet:/data': there is no /data; give a path that exists"))
    assert is_of_the_machine(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    assert ran_out_of_memory("torch.AcceleratorError: CUDA error: out of memory")
