"""Checks of what a command line names as inputs: a sentence is no file, and a file has a name."""

import sys
from collections.abc import Sequence
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
