"""The predictions that are to be fused: read, checked against one another, joined by `utterance_id`.

A modality is a run folder, or one or several tables (parquet or CSV) that hold dev and test by their column `split`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy
import pandas

from emokit import predictions, runs
from emokit.errors import DataError, UsageError
from emokit.fusion.late.settings import Missing
from emokit.labels import LABELS, NUM_LABELS
from emokit.predictions import KEYS, PROBABILITIES, Predictions

HELD_OUT = ("dev", "test")
FUSED = "fused"
"""What all modalities together are called; no single one can be."""


@dataclass(frozen=True)
class Panel:
    """What several modalities say of the same utterances of one split.

    names: the modalities
    table: the utterances in the order of their ids; the columns are `predictions.KEYS`
    probabilities: (modalities, utterances, classes) float64, rows sum to one; 1/7 each where a modality says nothing
    present: (modalities, utterances) whether it says something
    """

    names: tuple[str, ...]
    table: pandas.DataFrame
    probabilities: numpy.ndarray
    present: numpy.ndarray

    @cached_property
    def targets(self) -> numpy.ndarray:
        """(utterances,) the number of the true label."""
        return Predictions(self.table, "", "").targets

    @cached_property
    def clusters(self) -> numpy.ndarray:
        """(utterances,) what is resampled as a whole: dialogues, else speakers."""
        return Predictions(self.table, "", "").clusters

    def rows(self, which: numpy.ndarray) -> "Panel":
        """Some of the utterances, by a mask or by their numbers."""
        table = self.table.iloc[which].reset_index(drop=True)
        return Panel(self.names, table, self.probabilities[:, which], self.present[:, which])

    def saying(self, probabilities: numpy.ndarray) -> "Panel":
        """The same utterances with other probabilities."""
        return replace(self, probabilities=probabilities)


@dataclass(frozen=True)
class Modality:
    """One modality's predictions of dev and test, in one table, and where they come from."""

    name: str
    sources: tuple[Path, ...]
    found: Predictions

    @property
    def run(self) -> Path | None:
        """The run folder, where it is one."""
        return self.sources[0] if self.sources[0].is_dir() else None


def parse(named: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """`audio=runs/a text=t.csv` as name -> paths; a name given twice has several tables.

    Raises:
        UsageError: something is not NAME=PATH, or has the name of all together.
    """
    paths: dict[str, tuple[Path, ...]] = {}
    for text in named:
        name, _, path = text.partition("=")
        if not (name.replace("_", "").replace("-", "").isalnum() and path):
            raise UsageError(f"{text} was given where NAME=PATH was expected, such as text=runs/text.")
        if name == FUSED:
            raise UsageError(f"{text} has the name that all modalities together have; name it otherwise.")
        paths[name] = (*paths.get(name, ()), Path(path))
    if not paths:
        raise UsageError("No predictions were named; name them as NAME=PATH, such as audio=runs/a text=runs/t.")
    return paths


def read(paths: Mapping[str, Sequence[Path]]) -> list[Modality]:
    """Read every modality and hold them against one another.

    Raises:
        DataError: a table is missing or breaks the contract, or two contradict each other.
    """
    modalities = [_read_modality(name, tuple(sources)) for name, sources in paths.items()]
    for other in modalities[1:]:
        _agree(modalities[0], other)
    for position, one in enumerate(modalities):
        for other in modalities[position + 1 :]:
            _same_utterances(one, other)
    return modalities


def join(modalities: Sequence[Modality], missing: Missing) -> tuple[dict[str, Panel], dict[str, dict[str, int]]]:
    """Put the modalities side by side, dev and test; see `join_split`."""
    joined = {split: join_split(modalities, split, missing) for split in HELD_OUT}
    return {split: panel for split, (panel, _) in joined.items()}, {
        split: counts for split, (_, counts) in joined.items()
    }


def join_split(modalities: Sequence[Modality], split: str, missing: Missing) -> tuple[Panel, dict[str, int]]:
    """Put the modalities side by side on one split.

    Returns:
        The panel, and the counts: `all` utterances of any modality, those `used`, and those `lacking NAME`.

    Raises:
        DataError: no utterance has all modalities.
    """
    tables = {one.name: one.found.of_split(split).table.set_index("utterance_id") for one in modalities}
    ids = pandas.Index(sorted(set().union(*(table.index for table in tables.values()))), name="utterance_id")
    present = numpy.array([ids.isin(table.index) for table in tables.values()])
    complete: numpy.ndarray = numpy.asarray(present.all(axis=0))
    if not complete.any():
        sizes = ", ".join(f"{name} {len(table)}" for name, table in tables.items())
        raise DataError(
            f"No {split} utterance has all modalities ({sizes} utterances); "
            "predict the same prepared folder with each, dev and test."
        )
    counts = {"all": len(ids), "used": int(complete.sum() if missing == "drop" else len(ids))}
    counts |= {f"lacking {name}": int((~there).sum()) for name, there in zip(tables, present, strict=True)}
    keys = pandas.DataFrame(index=ids, columns=[key for key in KEYS if key != "utterance_id"], dtype=object)
    values = numpy.full((len(tables), len(ids), NUM_LABELS), 1 / NUM_LABELS)
    for position, table in enumerate(tables.values()):
        # What one table leaves empty, such as the dialogue, another may know.
        keys = keys.where(keys.notna(), table[keys.columns].astype(object).reindex(ids))
        own = table[list(PROBABILITIES)].to_numpy(numpy.float64)
        values[position, ids.get_indexer(table.index)] = own / own.sum(axis=1, keepdims=True)
    panel = Panel(tuple(tables), keys.reset_index()[list(KEYS)], values, present)
    return (panel.rows(complete) if missing == "drop" else panel), counts


def _read_modality(name: str, sources: tuple[Path, ...]) -> Modality:
    parts = []
    for source in sources:
        if source.is_dir():
            runs.check_complete(source)
            for split in HELD_OUT:
                path = source / "predictions" / f"{split}.parquet"
                part = _read_table(path)
                strays = part.table[part.table["split"] != split]
                if len(strays):
                    row = strays.iloc[0]
                    raise DataError(
                        f"{path} holds {row['utterance_id']} of the split {row['split']}; "
                        f"it must hold {split} only, so train the run again."
                    )
                parts.append(part)
        else:
            parts.append(_read_table(source))
    table = pandas.concat([part.table for part in parts], ignore_index=True)
    named = f"{name} ({', '.join(map(str, sources))})"
    predictions.check(table, named)
    for split in HELD_OUT:
        if not (table["split"] == split).any():
            raise DataError(
                f"{named} has no {split} utterance; weights are chosen on dev and scored on test, "
                f"so name a table of {split} beside it, as {name}=PATH once more."
            )
    prints = sorted({part.fingerprint for part in parts} - {""})
    if len(prints) > 1:
        raise DataError(f"{named} was made from two preparations of data; predict dev and test on one.")
    return Modality(name, sources, Predictions(table, parts[0].model, prints[0] if prints else ""))


def _read_table(path: Path) -> Predictions:
    """A parquet or CSV table; CSV has no fingerprint, so what it was made from is not known."""
    if path.suffix.lower() == ".csv":
        try:
            # Speakers such as 03 and dialogues such as 12 are names.
            names = dict.fromkeys(KEYS, "string")
            table = pandas.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])
        except FileNotFoundError as error:
            raise DataError(f"{path} is not there; name a run folder or a table of predictions.") from error
        except (OSError, ValueError, pandas.errors.ParserError) as error:
            raise DataError(f"{path} is no readable CSV ({error}); write it again.") from error
        predictions.check(table, str(path))
        # The numbers of the contract: the same table as CSV and as parquet gives the same fusion to the bit.
        found = Predictions(table.astype(dict.fromkeys(PROBABILITIES, numpy.float32)), path.stem, "")
    elif not path.exists():
        raise DataError(f"{path} is not there; name a run folder or a table of predictions.")
    else:
        found = predictions.read(path)
    strange = [name for name in found.table.columns if str(name).startswith("p_") and name not in PROBABILITIES]
    if strange:
        raise DataError(f"{path} has the class {strange[0][2:]}; the seven are {' '.join(LABELS)}, so relabel it.")
    return found


def _agree(one: Modality, other: Modality) -> None:
    prints = one.found.fingerprint, other.found.fingerprint
    if all(prints) and prints[0] != prints[1]:
        raise DataError(
            f"{one.name} was made from the data {prints[0][:12]} and {other.name} from {prints[1][:12]}; "
            "predict one prepared folder with both."
        )


def _same_utterances(one: Modality, other: Modality) -> None:
    columns = ["utterance_id", "split", "label"]
    both = one.found.table[columns].merge(other.found.table[columns], on="utterance_id", suffixes=("", "_there"))
    for column, hint in (("split", "dev must not be in test"), ("label", "one label is wrong")):
        differing = both[both[column].astype(str) != both[f"{column}_there"].astype(str)]
        if len(differing):
            row = differing.sort_values("utterance_id").iloc[0]
            raise DataError(
                f"{row['utterance_id']} has the {column} {row[column]} in {one.name} and {row[f'{column}_there']} in "
                f"{other.name} ({len(differing)} such utterances); {hint}, so make both from one prepared folder."
            )
