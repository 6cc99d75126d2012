"""Splits that lie in files: EmoBox's lists of utterances, in a clone of it, and a CSV of one's own.

EmoBox: `data/<corpus>/fold_<n>/<corpus>_{train,test,valid}_fold_<n>.jsonl`, one JSON object a line whose `wav` (in older
lists `audio`) is the utterance's file; some lists lack the underscore before the number. Only MELD has lists of valid.
A CSV: the columns utterance_id, split and, if wanted, fold (in which the utterance is tested); others may stand beside them.
"""

import csv
import hashlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError

# Our names of the corpora whose folds are lists of utterances -> EmoBox's.
EMOBOX_LISTS = {"crema_d": "cremad", "emodb": "emodb", "meld": "meld", "tess": "tess"}
FOLD_FOLDER = re.compile(r"fold_(\d+)")
HOW_TO_CLONE = "clone https://github.com/emo-box/EmoBox and name its folder with --folds DIR."
# Folds are named by a user, and folders are named by folds.
FOLD_NAME = re.compile(r"\w[\w.-]*")
NUM_NAMED = 3


@dataclass(frozen=True)
class Lists:
    """What files say of one corpus; every utterance that they name is in `listed`."""

    source: str
    """What it is, for sentences: a path."""
    digest: str
    """Of what the files say, so that other files are other settings."""
    listed: frozenset[str]
    fold_of: dict[str, str] = field(default_factory=dict)
    """utterance_id -> the fold in which it is tested; empty where there are no folds."""
    split_of: dict[str, str] = field(default_factory=dict)
    """utterance_id -> split; empty where the folds alone are listed."""


def read_emobox(folder: Path | None, corpus: str) -> Lists:
    """EmoBox's lists of one of the corpora in EMOBOX_LISTS.

    Raises:
        UsageError: no folder is named, or it is not there.
        DataError: it is no clone of EmoBox, or a list in it is damaged.
    """
    name = EMOBOX_LISTS[corpus]
    if folder is None:
        raise UsageError(
            f"EmoBox's folds of {corpus} are lists of utterances, which emokit may not ship; {HOW_TO_CLONE}"
        )
    if not folder.is_dir():
        raise UsageError(f"The folder of --folds, {folder}, does not exist; {HOW_TO_CLONE}")
    folds = {m[1]: path for path in folder.glob(f"data/{name}/fold_*") if (m := FOLD_FOLDER.fullmatch(path.name))}
    if not folds:
        raise DataError(f"{folder} has no folder data/{name}/fold_1, so it is no clone of EmoBox; {HOW_TO_CLONE}")
    fold_of: dict[str, str] = {}
    split_of: dict[str, str] = {}
    for fold, path in sorted(folds.items()):
        tested = list(_ids(_list_of(path, name, "test", fold), corpus))
        fold_of |= dict.fromkeys(tested, fold)
        parts = {"test": tested, "train": _ids(_list_of(path, name, "train", fold), corpus)}
        if corpus == "meld":
            parts["dev"] = _ids(_list_of(path, name, "valid", fold), corpus)
        split_of |= {utterance_id: split for split, ids in parts.items() for utterance_id in ids}
    listed = frozenset(split_of)
    # MELD's one fold has a dev of its own, and is a split; with the others, dev is drawn.
    fold_of, split_of = ({}, split_of) if corpus == "meld" else (fold_of, {})
    return Lists(str(folder), _digest([fold_of, split_of, sorted(listed)]), listed, fold_of, split_of)


def _list_of(folder: Path, name: str, part: str, fold: str) -> Path:
    """The list of a part of a fold, under either of its names."""
    path = folder / f"{name}_{part}_fold_{fold}.jsonl"
    other = folder / f"{name}_{part}_fold{fold}.jsonl"
    if not path.is_file() and not other.is_file():
        raise DataError(f"{path} is not there, so the clone of EmoBox is not whole; {HOW_TO_CLONE}")
    return path if path.is_file() else other


def _ids(path: Path, corpus: str) -> Iterator[str]:
    """Our ids of the utterances that a list names, in its order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); {HOW_TO_CLONE}") from error
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            file = PurePosixPath(entry.get("wav") or entry["audio"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(
                f"{path} has no JSON object with the key wav in line {number}; take the file as EmoBox has it."
            ) from error
        # MELD's numbers begin anew in every split, which the folder names.
        words = re.split(r"[^a-z]+", file.parent.name) if corpus == "meld" else []
        split = next((f"{word}/" for word in words if word in SPLITS), "")
        # One file of CREMA-D was once named with one X.
        stem = f"{file.stem}X" if corpus == "crema_d" and file.stem.endswith("_X") else file.stem
        yield f"{corpus}/{split}{stem}"


def read_csv(path: Path, corpus: str) -> Lists:
    """A user's own split of one corpus; rows of other corpora are passed over.

    Raises:
        UsageError: the file is not there, no CSV, lacks a column or names an unknown split, or one utterance twice.
    """
    wanted = "give a CSV with the columns utterance_id, split and, if wanted, fold."
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("utterance_id", "split") if name not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(f"{path} lacks the column {missing[0]}; {wanted}")
            rows = [(row["utterance_id"] or "", row["split"] or "", row.get("fold") or "") for row in reader]
    except FileNotFoundError as error:
        raise UsageError(f"{path}, the split of {corpus}, does not exist; {wanted}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}, the split of {corpus}, cannot be read ({error}); {wanted}") from error
    split_of: dict[str, str] = {}
    fold_of: dict[str, str] = {}
    for number, (utterance_id, split, fold) in enumerate(rows, start=2):
        if not utterance_id.startswith(f"{corpus}/") and "/" in utterance_id:
            continue
        if split not in SPLITS:
            raise UsageError(f"{path} has the split {split!r} in line {number}; expected one of {', '.join(SPLITS)}.")
        if utterance_id in split_of:
            raise UsageError(f"{path} names {utterance_id} twice, again in line {number}; leave one of them out.")
        if fold and not FOLD_NAME.fullmatch(fold):
            raise UsageError(f"{path} has the fold {fold!r} in line {number}; expected a number or a word.")
        split_of[utterance_id] = split
        if fold:
            fold_of[utterance_id] = fold
    return Lists(str(path), _digest([split_of, fold_of]), frozenset(split_of), fold_of, split_of)


def refuse_gaps(lists: Lists, corpus: str, found: Collection[str], left_out: Collection[str]) -> None:
    """See that a CSV gives every utterance found a split, and names none that is not there.

    Args:
        lists: what `read_csv` gave.
        corpus: its name.
        found: the ids of the corpus's utterances.
        left_out: the names of what the ledger already says was dropped; a CSV may name these.

    Raises:
        UsageError: it does not; how many, and the first few.
    """
    extra = sorted(lists.listed.difference(found, left_out))
    if extra:
        raise UsageError(
            f"{lists.source} names {_few(extra, 'utterance')} that {corpus} does not have; write ids as "
            "utterances.parquet has them, such as emodb/03a01Fa."
        )
    lacking = sorted(set(found) - lists.listed)
    if lacking:
        raise UsageError(
            f"{lists.source} lacks {_few(lacking, 'utterance')} of {corpus}, of {len(found)}; give each a split."
        )


def not_there(lists: Lists, found: Collection[str], left_out: Collection[str]) -> str | None:
    """A note on listed utterances that the corpus's folder does not hold, such as `2 utterances (a, b)`; None where none."""
    extra = sorted(lists.listed.difference(found, left_out))
    return _few(extra, "utterance") if extra else None


def _few(names: list[str], what: str) -> str:
    """How many there are and which, the first few by name."""
    named = ", ".join(names[:NUM_NAMED]) + (", …" if len(names) > NUM_NAMED else "")
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'} ({named})"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
