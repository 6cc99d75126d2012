"""Reads the predictions to fuse, checks that they fit together, and joins them by `utterance_id`.

A branch is a run folder, or one or several tables (parquet or CSV) with dev and test in the column `split`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy
import pandas

from emokit import delimited, predictions, runs
from emokit.data.utterance import HELD_OUT
from emokit.delimited import is_delimited
from emokit.errors import DataError, UsageError
from emokit.fusion.late.settings import MODALITY, Missing
from emokit.labels import LabelSet
from emokit.predictions import KEYS, Predictions, check_label_map, relabelled
from emokit.read_files import in_words
from emokit.run_predictions import read_split
from emokit.safe_text import from_spreadsheet_cell
from emokit.settings import NAME

FUSED = "fused"
"""The name of the fusion beside its modalities; no modality can have it."""


@dataclass(frozen=True)
class Panel:
    """Predictions of several modalities for the same utterances of one split.

    names: the modalities
    labels: the label set
    table: the utterances in the order of their ids; the columns are `predictions.KEYS`
    probabilities: (modalities, utterances, classes) float64, rows sum to 1; uniform where a modality is missing
    present: (modalities, utterances) whether the utterance has the modality
    """

    names: tuple[str, ...]
    labels: LabelSet
    table: pandas.DataFrame
    probabilities: numpy.ndarray
    present: numpy.ndarray

    @cached_property
    def targets(self) -> numpy.ndarray:
        """(utterances,) targets of the true labels."""
        return Predictions(self.table, self.labels).targets

    @cached_property
    def clusters(self) -> numpy.ndarray:
        """(utterances,) the unit that is resampled as a whole: the dialogue, else the speaker."""
        return Predictions(self.table, self.labels).clusters

    def rows(self, selected: numpy.ndarray) -> "Panel":
        """Some of the utterances, selected by a mask or by indices."""
        return replace(
            self,
            table=self.table.iloc[selected].reset_index(drop=True),
            probabilities=self.probabilities[:, selected],
            present=self.present[:, selected],
        )

    def with_probabilities(self, probabilities: numpy.ndarray) -> "Panel":
        """The same utterances with other probabilities."""
        return replace(self, probabilities=probabilities)


@dataclass(frozen=True)
class Branch:
    """One modality: its predictions of dev and test in one table, and the files they were read from."""

    name: str
    sources: tuple[Path, ...]
    predictions: Predictions

    @property
    def run(self) -> Path | None:
        """The run folder; None for tables."""
        return self.sources[0] if self.sources[0].is_dir() else None


def parse(arguments: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """`audio=runs/a text=t.csv` as name -> paths; a repeated name has several tables.

    Raises:
        UsageError: an argument is not NAME=PATH, or its name is reserved.
    """
    paths: dict[str, tuple[Path, ...]] = {}
    for argument in arguments:
        name, _, path = argument.partition("=")
        if not (NAME.fullmatch(name) and path):
            raise UsageError(f"{argument} was given where NAME=PATH was expected, such as text=runs/text.")
        if name == FUSED:
            raise UsageError(f"{argument} has the name {FUSED}, which is reserved for the fusion; use another name.")
        paths[name] = (*paths.get(name, ()), Path(path))
    if not paths:
        raise UsageError("No predictions were named; name them as NAME=PATH, such as audio=runs/a text=runs/t.")
    if len(paths) < 2:
        (name,) = paths
        other = "text=runs/text" if name == "audio" else "audio=runs/a"
        raise UsageError(f"{name} was named alone, and a fusion needs two or more; name another, such as {other}.")
    return paths


def read(paths: Mapping[str, Sequence[Path]], label_map: Mapping[str, str] | None = None) -> list[Branch]:
    """Read all branches and check that they fit together.

    Args:
        paths: per modality its run folder or tables.
        label_map: new names of labels, for branches with different label sets. Such branches were made from different
            prepared folders; their utterances, splits and mapped labels must agree all the same.

    Raises:
        UsageError: a path is given twice, or a label of the map occurs in no branch.
        DataError: a table is missing or breaks the contract, or two tables contradict each other.
    """
    _check_different(paths)
    tables = {name: _read_tables(sources) for name, sources in paths.items()}
    if label_map:
        check_label_map(label_map, (table.labels for entries in tables.values() for _, table in entries))
        tables = {
            name: [(path, relabelled(table, label_map)) for path, table in entries] for name, entries in tables.items()
        }
    everything = [entry for entries in tables.values() for entry in entries]
    # The columns of a CSV table can be in any order; a run or parquet table stores the order of its label set.
    path, reference = next((entry for entry in everything if not is_delimited(entry[0])), everything[0])
    for other_path, table in everything:
        check_labels(table.labels, reference.labels, str(other_path), str(path))
    branches = [
        _branch(name, tuple(sources), [table for _, table in tables[name]], reference.labels)
        for name, sources in paths.items()
    ]
    for other in [] if label_map else branches[1:]:
        _check_fingerprints(branches[0], other)
    for position, branch in enumerate(branches):
        for other in branches[position + 1 :]:
            _check_utterances(branch, other)
    return branches


def check_labels(labels: LabelSet, expected: LabelSet, source: str, other: str) -> None:
    """Refuse a label set with other labels than another source; the order may differ.

    Raises:
        DataError: names the first difference.
    """
    differing = [("has", label) for label in labels if label not in expected]
    differing += [("lacks", label) for label in expected if label not in labels]
    if differing:
        verb, label = differing[0]
        raise DataError(
            f"{source} {verb} the class {label}; expected {' '.join(expected)}, as in {other}: rename it with --map OLD=NEW."
        )


def join(branches: Sequence[Branch], missing: Missing) -> tuple[dict[str, Panel], dict[str, dict[str, int]]]:
    """Join dev and test of the branches; see `join_split`."""
    tables = {branch.name: branch.predictions for branch in branches}
    joined = {split: join_split(tables, split, missing) for split in HELD_OUT}
    return {split: panel for split, (panel, _) in joined.items()}, {
        split: counts for split, (_, counts) in joined.items()
    }


def join_split(tables: Mapping[str, Predictions], split: str, missing: Missing) -> tuple[Panel, dict[str, int]]:
    """Join the predictions of one split by `utterance_id`.

    Args:
        tables: per modality its predictions; all have the same label set.
        split: the split.
        missing: what to do with utterances that lack a modality.

    Returns:
        the panel, and counts: `all` utterances with any modality, those `used`, and those `lacking NAME`.

    Raises:
        DataError: no utterance has all modalities.
    """
    labels = next(iter(tables.values())).labels
    rows = {name: table.of_split(split).table.set_index("utterance_id") for name, table in tables.items()}
    ids = pandas.Index(sorted(set().union(*(table.index for table in rows.values()))), name="utterance_id")
    present = numpy.array([ids.isin(table.index) for table in rows.values()])
    complete: numpy.ndarray = numpy.asarray(present.all(axis=0))
    if not complete.any():
        sizes = ", ".join(f"{name} {len(table)}" for name, table in rows.items())
        raise DataError(
            f"No {split} utterance has all modalities ({sizes} utterances); "
            "predict the same prepared folder with each, dev and test."
        )
    counts = {"all": len(ids), "used": int(complete.sum() if missing == "drop" else len(ids))}
    counts |= {f"lacking {name}": int((~has).sum()) for name, has in zip(rows, present, strict=True)}
    keys = pandas.DataFrame(index=ids, columns=[key for key in KEYS if key != "utterance_id"], dtype=object)
    values = numpy.full((len(rows), len(ids), len(labels)), 1 / len(labels))
    for position, table in enumerate(rows.values()):
        # A value that one table lacks, such as the dialogue, is taken from another.
        keys = keys.where(keys.notna(), table[keys.columns].astype(object).reindex(ids))
        probabilities = table[labels.columns].to_numpy(numpy.float64)
        values[position, ids.get_indexer(table.index)] = probabilities / probabilities.sum(axis=1, keepdims=True)
    panel = Panel(tuple(rows), labels, keys.reset_index()[list(KEYS)], values, present)
    return (panel.rows(complete) if missing == "drop" else panel), counts


def _check_different(paths: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a folder or table that is given twice, under whatever path: fused with itself, it is itself."""
    name_of: dict[Path, str] = {}
    for name, sources in paths.items():
        for source in sources:
            if (other := name_of.get(source.resolve())) is not None:
                raise UsageError(
                    f"{source} was given twice, as {other} and as {name}; name different predictions, each once."
                )
            name_of[source.resolve()] = name


def _read_tables(sources: Sequence[Path]) -> list[tuple[Path, Predictions]]:
    """The tables of one branch, with their files."""
    tables = []
    for source in sources:
        if source.is_dir():
            runs.check_complete(source)
            runs.read_environment(source)  # damaged, it would be noticed only when the result is written
            if runs.read_settings(source).get("modality") == MODALITY:
                raise UsageError(
                    f"{source} is a fused run, and fused runs cannot be nested; name its branches and the others instead."
                )
            tables += [
                (source / runs.PREDICTIONS / f"{split}.parquet", read_split(source, split)) for split in HELD_OUT
            ]
        else:
            tables.append((source, _read_table(source)))
    return tables


def _branch(name: str, sources: tuple[Path, ...], tables: Sequence[Predictions], labels: LabelSet) -> Branch:
    rows = pandas.concat([table.table for table in tables], ignore_index=True)
    source = f"{name} ({', '.join(map(str, sources))})"
    predictions.check(rows, labels, source)
    for split in HELD_OUT:
        if not (rows["split"] == split).any():
            raise DataError(
                f"{source} has no {split} utterance; weights are chosen on dev and scored on test, "
                f"so add a table of {split} as another {name}=PATH."
            )
    fingerprints = sorted({table.fingerprint for table in tables} - {""})
    if len(fingerprints) > 1:
        raise DataError(
            f"{source} has predictions of two different prepared folders; predict dev and test of the same folder."
        )
    return Branch(name, sources, Predictions(rows, labels, tables[0].model, "".join(fingerprints)))


def _read_table(path: Path) -> Predictions:
    """A parquet or CSV table; CSV has no fingerprint."""
    if not path.exists():
        raise DataError(f"{path} does not exist; name a run folder or a table of predictions.")
    if not is_delimited(path):
        return predictions.read(path)
    content = delimited.read_table(path)
    try:
        # Speakers such as 03 and dialogues such as 12 are names, not numbers.
        kinds = {"dtype": dict.fromkeys(KEYS, "string"), "keep_default_na": False, "na_values": [""]}
        form = {"sep": content.delimiter, "skiprows": content.lines_above, "encoding": "utf-8-sig"}
        table = pandas.read_csv(path, **form, **kinds)
    except (OSError, ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{path} is no readable CSV ({in_words(error)}); write it again.") from error
    for key in table.columns.intersection(KEYS):
        table[key] = table[key].map(from_spreadsheet_cell).astype("string")
    labels = predictions.label_set_of(table, str(path))
    predictions.check(table, labels, str(path))
    # float32 as in parquet: the same table gives the same fusion to the bit in both formats.
    return Predictions(table.astype(dict.fromkeys(labels.columns, numpy.float32)), labels, path.stem)


def _check_fingerprints(branch: Branch, other: Branch) -> None:
    fingerprints = branch.predictions.fingerprint, other.predictions.fingerprint
    if all(fingerprints) and fingerprints[0] != fingerprints[1]:
        raise DataError(
            f"{branch.name} was made from the data {fingerprints[0][:12]} and {other.name} from {fingerprints[1][:12]}; "
            "predict the same prepared folder with both."
        )


def _check_utterances(branch: Branch, other: Branch) -> None:
    columns = ["utterance_id", "split", "label"]
    both = branch.predictions.table[columns].merge(
        other.predictions.table[columns], on="utterance_id", suffixes=("", "_other")
    )
    for column, hint in (("split", "dev and test must not overlap"), ("label", "one label is wrong")):
        differing = both[both[column].astype(str) != both[f"{column}_other"].astype(str)]
        if len(differing):
            row = differing.sort_values("utterance_id").iloc[0]
            raise DataError(
                f"{row['utterance_id']} has the {column} {row[column]} in {branch.name} and {row[f'{column}_other']} in "
                f"{other.name} ({len(differing)} such utterances); {hint}, so predict the same prepared folder with both."
            )
