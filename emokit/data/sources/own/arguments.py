"""A user's own data as a command names them: `calls=labels.csv`, `calls=DIR`, `hf:NAME`."""

from collections.abc import Container, Mapping
from pathlib import Path

from emokit.data.catalogue import TABLES, Corpus, own_corpus
from emokit.data.sources.own import table
from emokit.data.sources.own.columns import NAMES, check_keys
from emokit.data.sources.own.tabular import EXPECTED, is_table
from emokit.errors import DataError, UsageError
from emokit.files import kind_of

HUB = "hf:"
# Files of a data set that the library `datasets` saved, and of the folders of files that it reads.
SAVED = ("dataset_info.json", "dataset_dict.json", "state.json", "metadata.csv", "metadata.jsonl", "metadata.parquet")


def is_own(argument: str) -> bool:
    """Whether an argument names data of the user's own, and not a corpus of the catalogue."""
    return "=" in argument or argument.startswith(HUB)


def read_argument(argument: str, known: Container[str], columns: Mapping[str, str], root: Path | None = None) -> Corpus:
    """The entry of own data; what is in their tables is not looked at yet.

    Args:
        argument: such as `calls=train.csv,dev.csv`, `calls=DIR`, `hf:NAME` or `calls=hf:NAME`.
        known: the names of the corpora of the catalogue.
        columns: what a column holds -> its name.
        root: the folder that the paths of a table are relative to; None for the folder of the table.

    Raises:
        UsageError: the name is none, or that of another corpus; the root or the columns do not apply.
        DataError: there is no such table or folder, or a data set cannot be opened.
    """
    name, source = ("", argument) if argument.startswith(HUB) else _parts(argument, known)
    if source.startswith(HUB):
        if root is not None:
            raise UsageError(f"--audio-root {root} was given for {argument}, which has its recordings; leave it out.")
        from emokit.data.sources.own import hub  # the library `datasets` takes long to import

        corpus: Corpus = hub.describe(name or None, source.removeprefix(HUB), columns)
        if corpus.name in known:
            raise UsageError(_known(corpus.name, argument))
        return corpus
    if kind_of(source) == "folder":
        return _folder(name, Path(source), columns, root)
    tables = [source] if kind_of(source) == "file" else source.split(",")
    missing = next((file for file in tables if kind_of(file) != "file"), None)
    if missing is not None and name in NAMES and columns:  # --columns label=emotion path=file
        raise UsageError(
            f"{argument} is no table or folder; a second column needs the option again: --columns {argument}."
        )
    if missing is not None:
        what = "is not there" if kind_of(missing) is None else f"is a {kind_of(missing)}"
        raise DataError(f"{missing} of {argument} {what}; name {EXPECTED}, or a folder with a folder per label.")
    if not is_table(Path(tables[0])):
        raise DataError(f"{tables[0]} is no table that emokit reads; save it as {EXPECTED}.")
    return own_corpus(name, {"reader": "table", TABLES: tables, "columns": dict(columns), "root": root}, argument)


def described(corpus: Corpus) -> Corpus:
    """The entry of a corpus with what its files say about it, where that is needed before they are read.

    Raises:
        UsageError: a named column is not there, or the columns for labels and contents are not.
        DataError: a table cannot be read.
    """
    if corpus.reader == "table":
        check_keys(corpus.options.get("columns", {}), f"The entry of {corpus.name}")
        return table.describe(corpus)
    if corpus.reader == "hub" and "source" in corpus.options:  # an entry of a user's file
        from emokit.data.sources.own import hub

        source, columns = str(corpus.options["source"]), corpus.options.get("columns", {})
        stated = {key: getattr(corpus, key) for key in ("labels", "split", "expected")}
        whole: Corpus = hub.describe(corpus.name, source.removeprefix(HUB), columns)
        return whole.model_copy(update=stated)
    return corpus


def _parts(argument: str, known: Container[str]) -> tuple[str, str]:
    name, _, source = argument.partition("=")
    if not (name and source):
        raise UsageError(f"{argument} was given where NAME=FILE or NAME=DIR was expected, such as calls=labels.csv.")
    if name in known:
        raise UsageError(_known(name, argument))
    return name, source


def _known(name: str, argument: str) -> str:
    return (
        f"{argument} gives your data the name {name}, which is that of a corpus that emokit knows; "
        f"choose another name, or name that corpus's folder with --root {name}=DIR."
    )


def _folder(name: str, folder: Path, columns: Mapping[str, str], root: Path | None) -> Corpus:
    saved = next((file for file in SAVED if (folder / file).is_file()), None) or next(
        (path.name for path in sorted(folder.iterdir()) if path.suffix == ".parquet"), None
    )
    if saved is not None:
        raise UsageError(
            f"{folder} has the file {saved}, so it is a saved data set and no folder of a folder per label; "
            f"name it as {name}={HUB}{folder}."
        )
    given = [f"--audio-root {root}"] * (root is not None) + [
        f"--columns {key}={value}" for key, value in columns.items()
    ]
    if given:
        raise UsageError(f"{given[0]} was given for {folder}, which is a folder and no table; leave it out.")
    return own_corpus(name, {"reader": "class_folders", "root": folder}, f"{name}={folder}")
