"""Read splits from files: EmoBox's lists of utterances, in a clone of its repository, and a user's CSV.

EmoBox: `data/<corpus>/fold_<n>/<corpus>_{train,test,valid}_fold_<n>.jsonl`, one JSON object per line whose `wav` (in older
lists `audio`) is the utterance's file; some file names lack the underscore before the number. Only MELD has `valid` lists.
CSV: the columns utterance_id, split and optionally fold (in which the utterance is tested); other columns are ignored.
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
from emokit.files import can_wait, not_a

# Corpora whose folds are lists of utterances -> EmoBox's name of the corpus.
EMOBOX_LISTS = {"crema_d": "cremad", "emodb": "emodb", "meld": "meld", "tess": "tess"}
FOLD_FOLDER = re.compile(r"fold_(\d+)")
HOW_TO_CLONE = "clone https://github.com/emo-box/EmoBox and name its folder with --folds DIR."
# A user's CSV names folds, and folds name folders.
FOLD_NAME = re.compile(r"\w[\w.-]*")
NUM_NAMED = 3


@dataclass(frozen=True)
class SplitLists:
    """The splits and folds of one corpus as read from files; `listed` has every utterance that they name."""

    source: str
    """Names the lists in messages: a path."""
    digest: str
    """Hash of the content: other content counts as other settings of a prepared folder."""
    listed: frozenset[str]
    fold_of: dict[str, str] = field(default_factory=dict)
    """utterance_id -> the fold in which it is tested; empty if there are no folds."""
    split_of: dict[str, str] = field(default_factory=dict)
    """utterance_id -> split; empty if the files list folds only."""


def read_emobox(folder: Path | None, corpus: str) -> SplitLists:
    """EmoBox's lists of one of the corpora in EMOBOX_LISTS.

    Raises:
        UsageError: no folder is given, or it does not exist.
        DataError: it is not a clone of EmoBox, or a list in it is damaged.
    """
    name = EMOBOX_LISTS[corpus]
    if folder is None:
        raise UsageError(
            f"EmoBox's folds of {corpus} are lists of utterances, which emokit may not redistribute; {HOW_TO_CLONE}"
        )
    if not folder.is_dir():
        raise UsageError(f"The folder of --folds, {folder}, does not exist; {HOW_TO_CLONE}")
    folds = {m[1]: path for path in folder.glob(f"data/{name}/fold_*") if (m := FOLD_FOLDER.fullmatch(path.name))}
    if not folds:
        raise DataError(f"{folder} has no folder data/{name}/fold_1, so it is not a clone of EmoBox; {HOW_TO_CLONE}")
    fold_of: dict[str, str] = {}
    split_of: dict[str, str] = {}
    for fold, path in sorted(folds.items()):
        tested = list(_ids(_list_path(path, name, "test", fold), corpus))
        fold_of |= dict.fromkeys(tested, fold)
        ids_of = {"test": tested, "train": _ids(_list_path(path, name, "train", fold), corpus)}
        if corpus == "meld":
            ids_of["dev"] = _ids(_list_path(path, name, "valid", fold), corpus)
        split_of |= {utterance_id: split for split, ids in ids_of.items() for utterance_id in ids}
    listed = frozenset(split_of)
    # MELD's only fold has its own dev, so it is a split; for the other corpora, dev is drawn.
    fold_of, split_of = ({}, split_of) if corpus == "meld" else (fold_of, {})
    return SplitLists(str(folder), _digest([fold_of, split_of, sorted(listed)]), listed, fold_of, split_of)


def _list_path(folder: Path, name: str, emobox_split: str, fold: str) -> Path:
    """The list of one split of a fold, under either of its file names."""
    path = folder / f"{name}_{emobox_split}_fold_{fold}.jsonl"
    older = folder / f"{name}_{emobox_split}_fold{fold}.jsonl"
    if not path.is_file() and not older.is_file():
        raise DataError(f"{path} is missing, so the clone of EmoBox is incomplete; {HOW_TO_CLONE}")
    return path if path.is_file() else older


def _ids(path: Path, corpus: str) -> Iterator[str]:
    """The utterance ids of a list, in its order."""
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
                f"{path} has no JSON object with the key wav in line {number}; restore the file from EmoBox."
            ) from error
        # MELD numbers the utterances of each split from 0; the folder names the split.
        words = re.split(r"[^a-z]+", file.parent.name) if corpus == "meld" else []
        split = next((f"{word}/" for word in words if word in SPLITS), "")
        # One file of CREMA-D once had a name with one X.
        stem = f"{file.stem}X" if corpus == "crema_d" and file.stem.endswith("_X") else file.stem
        yield f"{corpus}/{split}{stem}"


def read_csv(path: Path, corpus: str) -> SplitLists:
    """A user's split of one corpus; rows of other corpora are ignored.

    Raises:
        UsageError: the file does not exist, is not a CSV, lacks a column, or names an unknown split or an utterance twice.
    """
    expected = "give a CSV with the columns utterance_id, split and optionally fold."
    if can_wait(path) or path.is_dir():
        raise UsageError(f"{path}, the split of {corpus}, {not_a('file', path)}; {expected}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            missing = [name for name in ("utterance_id", "split") if name not in columns]
            if missing:
                raise UsageError(f"{path} lacks the column {missing[0]}; {expected}")
            for name in ("utterance_id", "split", "fold"):
                if columns.count(name) > 1:
                    raise UsageError(
                        f"{path} has {columns.count(name)} columns with the name {name}; rename one of them."
                    )
            rows = []
            for row in reader:
                if None in row:
                    raise UsageError(
                        f"{path} has more fields in line {reader.line_num} than in its header; put fields that contain a comma "
                        "into double quotes."
                    )
                rows.append((reader.line_num, row["utterance_id"] or "", row["split"] or "", row.get("fold") or ""))
    except FileNotFoundError as error:
        raise UsageError(f"{path}, the split of {corpus}, does not exist; {expected}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}, the split of {corpus}, is not UTF-8; save it as UTF-8.") from error
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}, the split of {corpus}, cannot be read ({reason}); {expected}") from error
    split_of: dict[str, str] = {}
    fold_of: dict[str, str] = {}
    for number, utterance_id, split, fold in rows:
        if not utterance_id.startswith(f"{corpus}/") and "/" in utterance_id:
            continue
        if split not in SPLITS:
            raise UsageError(f"{path} has the split {split!r} in line {number}; expected one of {', '.join(SPLITS)}.")
        if utterance_id in split_of:
            raise UsageError(f"{path} names {utterance_id} twice, again in line {number}; remove one of the lines.")
        if fold and not FOLD_NAME.fullmatch(fold):
            raise UsageError(f"{path} has the fold {fold!r} in line {number}; expected a number or a name.")
        split_of[utterance_id] = split
        if fold:
            fold_of[utterance_id] = fold
    return SplitLists(str(path), _digest([split_of, fold_of]), frozenset(split_of), fold_of, split_of)


def check_complete(lists: SplitLists, corpus: str, utterance_ids: Collection[str], dropped: Collection[str]) -> None:
    """Check that a CSV gives each utterance a split and names no unknown utterance.

    Args:
        lists: read by `read_csv`.
        corpus: its name.
        utterance_ids: of the corpus's utterances.
        dropped: ids of utterances that were dropped before; a CSV may name these.

    Raises:
        UsageError: utterances are missing or unknown; the sentence has their number and the first few ids.
    """
    unknown = unknown_utterances(lists, utterance_ids, dropped)
    if unknown:
        raise UsageError(
            f"{lists.source} names {unknown} that {corpus} does not have; write ids as "
            "utterances.parquet has them, such as emodb/03a01Fa."
        )
    missing = sorted(set(utterance_ids) - lists.listed)
    if missing:
        raise UsageError(
            f"{lists.source} lacks {_described(missing)} of the {len(utterance_ids)} of {corpus}; give each a split."
        )


def unknown_utterances(lists: SplitLists, utterance_ids: Collection[str], dropped: Collection[str]) -> str | None:
    """The listed utterances that the corpus does not have, such as `2 utterances (a, b)`; None if there are none."""
    unknown = sorted(lists.listed.difference(utterance_ids, dropped))
    return _described(unknown) if unknown else None


def _described(utterance_ids: list[str]) -> str:
    """The number of utterances, and the first few ids."""
    first = ", ".join(utterance_ids[:NUM_NAMED]) + (", …" if len(utterance_ids) > NUM_NAMED else "")
    return f"{len(utterance_ids)} utterance{'' if len(utterance_ids) == 1 else 's'} ({first})"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
