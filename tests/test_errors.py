"""Exit codes are a contract: scripts and schedulers read them."""

from emokit.errors import DataError, EmokitError, UsageError, WorkError


def test_each_kind_of_error_has_its_exit_code() -> None:
    assert (UsageError.exit_code, DataError.exit_code, WorkError.exit_code) == (2, 3, 4)
    assert all(issubclass(kind, EmokitError) for kind in (UsageError, DataError, WorkError))
