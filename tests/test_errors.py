"""Exit codes are a contract: scripts and schedulers read them."""

import errno

import pytest

from emokit.errors import DataError, EmokitError, UsageError, WorkError, is_memory_full


def test_each_kind_of_error_has_its_exit_code() -> None:
    assert (UsageError.exit_code, DataError.exit_code, WorkError.exit_code) == (2, 3, 4)
    assert all(issubclass(kind, EmokitError) for kind in (UsageError, DataError, WorkError))


class OutOfMemoryError(RuntimeError):
    """As torch's is named."""


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("no words"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for a matmul primitive"), False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), True),
        (ImportError("libtorch_cuda.so: failed to map segment from shared object"), True),
        (ImportError("No module named 'deepface'"), False),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
    ids=str,
)
def test_errors_of_a_full_memory_are_recognised(error: Exception, is_full: bool) -> None:
    assert is_memory_full(error) is is_full
