"""Refused predictions, each with its sentence; and how predictions are joined."""

from pathlib import Path

import numpy
import pandas
import pytest

from emokit import predictions
from emokit.errors import DataError, UsageError
from emokit.files import write_csv
from emokit.fusion.late.inputs import Branch, join, parse, read
from emokit.labels import DEFAULT_LABELS
from emokit.predictions import KEYS, Predictions

COLUMNS = DEFAULT_LABELS.columns
HOW_TO_MAP = "rename it with --map OLD=NEW."
ALL_LABELS = "angry disgust fear happy neutral sad surprise"


def rewrite(path, change, fingerprint="f" * 64):
    """Write a table of predictions again as it is after `change`, without checks."""
    import pyarrow
    import pyarrow.parquet

    table = change(pandas.read_parquet(path))
    metadata = {"emokit.model": path.stem, "emokit.fingerprint": fingerprint}
    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    pyarrow.parquet.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **metadata}), path)


def read_and_join(paths):
    branches = read({name: [path] for name, path in paths.items()})
    join(branches, "drop")
    return branches


def refusal(paths):
    with pytest.raises(DataError) as error:
        read_and_join(paths)
    return str(error.value)


def set_value(column, row, value):
    def change(table):
        table.loc[row, column] = value
        return table

    return change


def test_names_and_paths_are_parsed():
    paths = parse(["audio=runs/a", "face=dev.csv", "face=test=1.csv"])
    assert paths == {"audio": (Path("runs/a"),), "face": (Path("dev.csv"), Path("test=1.csv"))}


@pytest.mark.parametrize("text", ["runs/a", "=runs/a", "audio=", "a b=x", "/x/y=runs/a", "..=runs/a", "-a=runs/a"])
def test_an_argument_without_name_or_path_is_refused(text):
    with pytest.raises(UsageError) as error:
        parse([text])
    assert str(error.value) == f"{text} was given where NAME=PATH was expected, such as text=runs/text."


def test_the_name_of_the_fusion_is_reserved():
    with pytest.raises(UsageError) as error:
        parse(["audio=runs/a", "fused=runs/f"])
    assert str(error.value) == "fused=runs/f has the name fused, which is reserved for the fusion; use another name."


def test_label_sets_that_differ(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(p_contempt=0.0))
    expected = f"expected {ALL_LABELS}, as in {paths['a']}: {HOW_TO_MAP}"
    assert refusal(paths) == f"{paths['b']} has the class contempt; {expected}"
    paths = write_tables()
    rewrite(paths["b"], lambda table: table[table["label"] != "disgust"].rename(columns={"p_disgust": "p_fun"}))
    assert refusal(paths) == (
        f"{paths['b']} has the class fun; expected {ALL_LABELS}, as in {paths['a']}: {HOW_TO_MAP}"
    )
    paths = write_tables()
    rewrite(paths["a"], lambda table: table.assign(p_contempt=0.0))
    assert refusal(paths) == (
        f"{paths['b']} lacks the class contempt; expected {ALL_LABELS} contempt, as in {paths['a']}: {HOW_TO_MAP}"
    )


def test_a_label_without_a_column(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: table.drop(columns="p_surprise"))
    message = refusal(paths)
    assert message.startswith(f"{paths['a']} gives meld/dev/")
    assert message.endswith(" the label 'surprise'; expected one of angry, disgust, fear, happy, neutral, sad.")


def test_columns_can_be_in_any_order(write_tables, tmp_path):
    paths = write_tables()
    before, _ = join(read({name: [path] for name, path in paths.items()}), "drop")
    shuffled = tmp_path / "a.csv"
    pandas.read_parquet(paths["a"])[[*reversed(COLUMNS), *KEYS]].to_csv(shuffled, index=False)
    after, _ = join(read({"a": [shuffled], "b": [paths["b"]]}), "drop")
    assert after["dev"].labels == DEFAULT_LABELS
    assert (after["dev"].probabilities == before["dev"].probabilities).all()


def test_other_labels_for_the_same_utterance(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(label=table["label"].replace("sad", "fear")))
    table = pandas.read_parquet(paths["a"])
    sad = table[table["label"] == "sad"]["utterance_id"]
    assert refusal(paths) == (
        f"{sad.min()} has the label sad in a and fear in b ({len(sad)} such utterances); one label is wrong, "
        "so predict the same prepared folder with both."
    )


def test_an_utterance_twice(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: pandas.concat([table, table.iloc[[3]]]))
    assert refusal(paths) == f"{paths['a']} has meld/dev/00003 twice; each utterance_id must be unique."


def test_two_tables_of_one_name_that_overlap(write_tables):
    paths = write_tables()
    with pytest.raises(DataError) as error:
        read({"a": [paths["a"], paths["b"]]})
    expected = f"a ({paths['a']}, {paths['b']}) has meld/dev/00000 twice; each utterance_id must be unique."
    assert str(error.value) == expected


def test_rows_that_do_not_sum_to_one(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("p_fear", 4, 0.0))
    total = pandas.read_parquet(paths["b"]).loc[4, COLUMNS].astype(float).sum()
    assert refusal(paths) == (
        f"{paths['b']} gives meld/dev/00004 probabilities that sum to {total:.4f}; each row must sum to 1."
    )


def test_no_number(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("p_fear", 4, numpy.nan))
    assert refusal(paths) == (
        f"{paths['b']} gives meld/dev/00004 probabilities that are not all numbers of zero or more; each row must sum to 1."
    )


def test_no_utterance_in_common(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(utterance_id="other/" + table["utterance_id"]))
    assert refusal(paths) == (
        "No dev utterance has all modalities (a 120, b 120 utterances); "
        "predict the same prepared folder with each, dev and test."
    )


def test_an_utterance_of_dev_that_another_has_in_test(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("split", 5, "test"))
    assert refusal(paths) == (
        "meld/dev/00005 has the split dev in a and test in b (1 such utterances); dev and test must not overlap, "
        "so predict the same prepared folder with both."
    )


def test_a_run_with_an_utterance_of_test_in_its_dev(write_tables, tmp_path):
    paths, run = write_tables(), tmp_path / "run"
    table = pandas.read_parquet(paths["a"])
    (run / "predictions").mkdir(parents=True)
    scores = '{"labels": ["low", "high"], "splits": {}}'
    for name, text in (("settings.yaml", "modality: audio"), ("environment.json", "{}"), ("metrics.json", scores)):
        (run / name).write_text(text)
    for split in ("dev", "test"):
        rows = table[(table["split"] == split) | ((table.index == 7) & (split == "test")) | (table.index == 150)]
        predictions.write(Predictions(rows, DEFAULT_LABELS, "a"), run / "predictions" / f"{split}.parquet")
    assert refusal({"a": run, "b": paths["b"]}) == (
        f"{run / 'predictions' / 'dev.parquet'} has meld/test/00030 of the split test; "
        "expected dev only, so make the run again."
    )


def test_predictions_on_other_data(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table, fingerprint="0123456789abcdef" * 4)
    assert refusal(paths) == (
        "a was made from the data ffffffffffff and b from 0123456789ab; predict the same prepared folder with both."
    )


def test_dev_and_test_of_different_data(write_tables, tmp_path):
    path = write_tables()["a"]
    other = tmp_path / "test.parquet"
    other.write_bytes(path.read_bytes())
    rewrite(path, lambda table: table[table["split"] == "dev"])
    rewrite(other, lambda table: table[table["split"] == "test"], fingerprint="e" * 64)
    with pytest.raises(DataError) as error:
        read({"a": [path, other]})
    assert str(error.value) == (
        f"a ({path}, {other}) has predictions of two different prepared folders; predict dev and test of the same folder."
    )


def test_a_table_of_one_split_only(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table[table["split"] == "dev"])
    assert refusal(paths) == (
        f"b ({paths['b']}) has no test utterance; weights are chosen on dev and scored on test, "
        "so add a table of test as another b=PATH."
    )


def test_a_missing_file(tmp_path):
    for name in ("a.csv", "a.parquet", "a"):
        assert refusal({"a": tmp_path / name}) == (
            f"{tmp_path / name} does not exist; name a run folder or a table of predictions."
        )


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n"1,2\n')
    assert refusal({"a": tmp_path / "a.csv"}) == (
        f"{tmp_path / 'a.csv'}, line 2, is no row of a table (unexpected end of data); put texts into double quotes, and write "
        "a double quote inside of them twice."
    )
    (tmp_path / "a.parquet").write_text("x")
    assert refusal({"a": tmp_path / "a.parquet"}).startswith(f"{tmp_path / 'a.parquet'} is no readable parquet table (")


def test_an_incomplete_run(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.yaml").write_text("modality: audio\n")
    assert refusal({"a": tmp_path / "run"}) == (
        f"{tmp_path / 'run'} has no metrics.json, so its training did not end; resume it by adding --resume."
    )


@pytest.mark.parametrize(("name", "separator"), [("b.csv", ";"), ("b.tsv", "\t"), ("b.CSV", ","), ("sep=.csv", ";")])
def test_tables_of_spreadsheets_are_read_as_parquet_is(write_tables, tmp_path, name, separator):
    paths = write_tables()
    table = pandas.read_parquet(paths["b"]).assign(speaker="03", dialogue="012")
    text = ("sep=;\r\n" if "sep" in name else "") + table.to_csv(index=False, sep=separator, lineterminator="\r\n")
    (tmp_path / name).write_text(text, encoding="utf-8-sig", newline="")
    (branch,) = read({"b": [tmp_path / name]})
    assert [set(branch.predictions.table[key]) for key in ("speaker", "dialogue")] == [{"03"}, {"012"}]
    assert branch.predictions.probabilities.tolist() == predictions.read(paths["b"]).probabilities.tolist()


def test_csv_equals_parquet_and_names_stay_names(write_tables, tmp_path):
    paths = write_tables()
    table = pandas.read_parquet(paths["b"]).assign(speaker="03")
    table.to_csv(tmp_path / "b.csv", index=False)
    branch = read_and_join({"a": paths["a"], "b": tmp_path / "b.csv"})[1]
    assert branch.predictions.table["speaker"].unique().tolist() == ["03"]
    assert branch.predictions.table[COLUMNS].equals(table[COLUMNS])


def test_a_csv_as_emokit_writes_it_for_spreadsheets_equals_parquet(write_tables, tmp_path):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(speaker="=03", dialogue="-1"))
    table = pandas.read_parquet(paths["b"])
    write_csv(tmp_path / "b.csv", table.columns, table.itertuples(index=False))
    assert ",'=03,-1," in (tmp_path / "b.csv").read_text()
    branch = read_and_join({"a": paths["a"], "b": tmp_path / "b.csv"})[1]
    assert branch.predictions.table[COLUMNS].equals(table[COLUMNS])
    assert branch.predictions.table["speaker"].unique().tolist() == ["=03"]


def test_the_order_of_rows_changes_nothing(write_tables):
    paths = write_tables()
    before, _ = join(read({name: [path] for name, path in paths.items()}), "drop")
    for path in paths.values():
        rewrite(path, lambda table: table.sample(frac=1, random_state=1))
    after, _ = join(read({name: [path] for name, path in paths.items()}), "drop")
    for split in ("dev", "test"):
        assert (before[split].probabilities == after[split].probabilities).all()
        assert before[split].table.equals(after[split].table)


def test_missing_utterances_are_counted_and_dropped_or_used(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: table[table.index % 4 != 0])
    rewrite(paths["b"], lambda table: table[table.index % 6 != 0].assign(dialogue=None))
    branches = read({name: [path] for name, path in paths.items()})
    panels, counts = join(branches, "drop")
    assert counts["dev"] == {"all": 110, "used": 80, "lacking a": 20, "lacking b": 10}
    assert panels["dev"].present.all()
    assert len(panels["dev"].table) == 80
    panels, counts = join(branches, "renormalise")
    assert counts["dev"] == {"all": 110, "used": 110, "lacking a": 20, "lacking b": 10}
    dev = panels["dev"]
    assert (~dev.present).sum(axis=1).tolist() == [20, 10]
    assert (dev.probabilities[~dev.present] == 1 / 7).all()
    # Where only b has the utterance, its dialogue is unknown and the speaker is the cluster.
    assert dev.table["dialogue"].isna().sum() == 20
    assert dev.table["utterance_id"].is_monotonic_increasing


def test_only_a_folder_is_a_run(tmp_path, write_tables):
    table = predictions.read(write_tables()["a"])
    assert Branch("a", (tmp_path,), table).run == tmp_path
    assert Branch("a", (tmp_path / "a.parquet",), table).run is None
