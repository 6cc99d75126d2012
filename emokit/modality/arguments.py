"""Checks of what a command line names as inputs, a sentence or a file with a name, and of settings that do nothing."""

import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from emokit.errors import UsageError
from emokit.files import kind_of

STDIN = "-"


def standard_input() -> BinaryIO:
    """Standard input, as bytes.

    Raises:
        UsageError: it is closed, as under cron.
    """
    if sys.stdin is None:
        raise UsageError("- was given and standard input is closed; pipe the input to -, or name files.")
    return sys.stdin.buffer


def check_sentences(sentences: Sequence[str], advice: str) -> None:
    """Refuse names of files, which would be predicted as if they were sentences.

    Args:
        sentences: as given.
        advice: how to give the texts of a file, such as `name it with --file`.

    Raises:
        UsageError: names the first one.
    """
    for sentence in sentences:
        if sentence.strip() and (kind := kind_of(sentence)):
            raise UsageError(f"{sentence} is a {kind} where a sentence was expected; {advice}.")


def check_names(names: Sequence[str], expected: str) -> None:
    """Refuse an empty name, which would be read as the present folder, and standard input given twice.

    Args:
        names: of files, as given.
        expected: such as `audio files`.

    Raises:
        UsageError: an empty name was given, or - more than once.
    """
    if not all(name.strip() for name in names):
        raise UsageError(f"An empty name was given; name {expected}, or leave it out.")
    if names.count(STDIN) > 1:
        raise UsageError("- was given more than once, and standard input can be read only once; give - once.")


def check_used(
    unused: Sequence[str], kind: str, flags: Mapping[str, str], overrides: Sequence[str] = ()
) -> tuple[str, ...]:
    """Refuse flags that a kind of model does not use; a setting of --set may stay, as one space of settings serves many kinds.

    Args:
        unused: as `Modality.unused` returns it.
        kind: `model.kind`, for the sentence.
        flags: flag that was given -> its field, or the argument of `train`.
        overrides: of --set, as `key=value`.

    Returns:
        a note for each override that does nothing.

    Raises:
        UsageError: names the first flag.
    """
    for flag, name in flags.items():
        if _is_in(name, unused):
            raise UsageError(f"{flag} was given, and model.kind {kind} does not use it; leave it out.")
    keys = [override.partition("=")[0].strip() for override in overrides]
    return tuple(f"{key} is set, and model.kind {kind} does not use it" for key in keys if _is_in(key, unused))


def _is_in(name: str, groups: Sequence[str]) -> bool:
    """Whether a field is one of these, or in one of these groups."""
    if name in ("model.kind", "training.seed"):  # the choice itself; and the seed, which every run records
        return False
    return any(name == group or name.startswith(f"{group}.") for group in groups)
