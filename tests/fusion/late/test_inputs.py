"""What can be wrong with the predictions that are to be fused, each with its sentence; and how they are joined."""

import numpy
import pandas
import pytest

from emokit import predictions
from emokit.errors import DataError, UsageError
from emokit.fusion.late.inputs import Modality, join, parse, read
from emokit.predictions import KEYS, PROBABILITIES, Predictions


def rewrite(path, change, fingerprint="f" * 64):
    """Write a table of predictions again as it is after `change`, whatever that makes of it."""
    import pyarrow
    import pyarrow.parquet

    table = change(pandas.read_parquet(path))
    about = {"emokit.model": path.stem, "emokit.fingerprint": fingerprint}
    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    pyarrow.parquet.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **about}), path)


def reading(paths):
    modalities = read({name: [path] for name, path in paths.items()})
    join(modalities, "drop")
    return modalities


def refused(paths):
    with pytest.raises(DataError) as error:
        reading(paths)
    return str(error.value)


def set_value(column, row, value):
    def change(table):
        table.loc[row, column] = value
        return table

    return change


def test_names_and_paths_are_taken_apart():
    from pathlib import Path

    found = parse(["audio=runs/a", "face=dev.csv", "face=test=1.csv"])
    assert found == {"audio": (Path("runs/a"),), "face": (Path("dev.csv"), Path("test=1.csv"))}


@pytest.mark.parametrize("text", ["runs/a", "=runs/a", "audio=", "a b=x"])
def test_what_is_no_name_and_path_is_refused(text):
    with pytest.raises(UsageError) as error:
        parse([text])
    assert str(error.value) == f"{text} was given where NAME=PATH was expected, such as text=runs/text."


def test_no_modality_has_the_name_of_all_together():
    with pytest.raises(UsageError) as error:
        parse(["audio=runs/a", "fused=runs/f"])
    assert str(error.value) == "fused=runs/f has the name that all modalities together have; name it otherwise."


def test_other_classes(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: table.rename(columns={"p_happy": "p_joy"}))
    assert refused(paths) == f"{paths['a']} lacks the column p_happy; expected {' '.join((*KEYS, *PROBABILITIES))}."
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(p_contempt=0.0))
    assert refused(paths) == (
        f"{paths['b']} has the class contempt; the seven are angry disgust fear happy neutral sad surprise, so relabel it."
    )


def test_other_labels_for_the_same_utterance(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(label=table["label"].replace("sad", "fear")))
    table = pandas.read_parquet(paths["a"])
    sad = table[table["label"] == "sad"]["utterance_id"]
    assert refused(paths) == (
        f"{sad.min()} has the label sad in a and fear in b ({len(sad)} such utterances); one label is wrong, "
        "so make both from one prepared folder."
    )


def test_an_utterance_twice(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: pandas.concat([table, table.iloc[[3]]]))
    assert refused(paths) == f"{paths['a']} has meld/dev/00003 twice; each utterance_id must stand once."


def test_two_tables_of_one_name_that_overlap(write_tables):
    paths = write_tables()
    with pytest.raises(DataError) as error:
        read({"a": [paths["a"], paths["a"]]})
    expected = f"a ({paths['a']}, {paths['a']}) has meld/dev/00000 twice; each utterance_id must stand once."
    assert str(error.value) == expected


def test_rows_that_do_not_sum_to_one(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("p_fear", 4, 0.0))
    total = pandas.read_parquet(paths["b"]).loc[4, list(PROBABILITIES)].astype(float).sum()
    assert refused(paths) == (
        f"{paths['b']} gives meld/dev/00004 probabilities that sum to {total:.4f}; each row must sum to 1."
    )


def test_no_number(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("p_fear", 4, numpy.nan))
    assert refused(paths) == (
        f"{paths['b']} gives meld/dev/00004 probabilities that are not all numbers of zero or more; each row must sum to 1."
    )


def test_no_utterance_in_common(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table.assign(utterance_id="other/" + table["utterance_id"]))
    assert refused(paths) == (
        "No dev utterance has all modalities (a 120, b 120 utterances); "
        "predict the same prepared folder with each, dev and test."
    )


def test_an_utterance_of_dev_that_another_has_in_test(write_tables):
    paths = write_tables()
    rewrite(paths["b"], set_value("split", 5, "test"))
    assert refused(paths) == (
        "meld/dev/00005 has the split dev in a and test in b (1 such utterances); dev must not be in test, "
        "so make both from one prepared folder."
    )


def test_a_run_with_an_utterance_of_dev_in_its_test(write_tables, tmp_path):
    paths = write_tables()
    table = pandas.read_parquet(paths["a"])
    run = tmp_path / "run"
    (run / "predictions").mkdir(parents=True)
    (run / "settings.yaml").write_text("modality: audio\n")
    (run / "metrics.json").write_text("{}")
    for split in ("dev", "test"):
        rows = table[(table["split"] == split) | ((table.index == 7) & (split == "test"))]
        predictions.write(Predictions(rows, "a", ""), run / "predictions" / f"{split}.parquet")
    assert refused({"a": run, "b": paths["b"]}) == (
        f"{run / 'predictions' / 'test.parquet'} holds meld/dev/00007 of the split dev; "
        "it must hold test only, so train the run again."
    )


def test_data_of_another_preparation(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table, fingerprint="0123456789abcdef" * 4)
    assert refused(paths) == (
        "a was made from the data ffffffffffff and b from 0123456789ab; predict one prepared folder with both."
    )


def test_a_table_of_one_split_only(write_tables):
    paths = write_tables()
    rewrite(paths["b"], lambda table: table[table["split"] == "dev"])
    assert refused(paths) == (
        f"b ({paths['b']}) has no test utterance; weights are chosen on dev and scored on test, "
        "so name a table of test beside it, as b=PATH once more."
    )


def test_a_file_that_is_not_there(tmp_path):
    for name in ("a.csv", "a.parquet", "a"):
        assert refused({"a": tmp_path / name}) == (
            f"{tmp_path / name} is not there; name a run folder or a table of predictions."
        )


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n"1,2\n')
    assert refused({"a": tmp_path / "a.csv"}).startswith(f"{tmp_path / 'a.csv'} is no readable CSV (")
    (tmp_path / "a.parquet").write_text("x")
    assert refused({"a": tmp_path / "a.parquet"}).startswith(f"{tmp_path / 'a.parquet'} is no readable parquet table (")


def test_a_run_that_did_not_end(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.yaml").write_text("modality: audio\n")
    assert refused({"a": tmp_path / "run"}) == (
        f"{tmp_path / 'run'} has no metrics.json, so its training did not end; go on with it by adding --resume."
    )


def test_csv_is_as_good_as_parquet_and_names_stay_names(write_tables, tmp_path):
    paths = write_tables()
    table = pandas.read_parquet(paths["b"]).assign(speaker="03")
    table.to_csv(tmp_path / "b.csv", index=False)
    found = reading({"a": paths["a"], "b": tmp_path / "b.csv"})[1]
    assert found.found.table["speaker"].unique().tolist() == ["03"]
    assert found.found.table[list(PROBABILITIES)].equals(table[list(PROBABILITIES)])


def test_the_order_of_rows_plays_no_part(write_tables):
    paths = write_tables()
    before, _ = join(read({name: [path] for name, path in paths.items()}), "drop")
    for path in paths.values():
        rewrite(path, lambda table: table.sample(frac=1, random_state=1))
    after, _ = join(read({name: [path] for name, path in paths.items()}), "drop")
    for split in ("dev", "test"):
        assert (before[split].probabilities == after[split].probabilities).all()
        assert before[split].table.equals(after[split].table)


def test_what_is_missing_is_counted_and_dropped_or_kept(write_tables):
    paths = write_tables()
    rewrite(paths["a"], lambda table: table[table.index % 4 != 0])
    rewrite(paths["b"], lambda table: table[table.index % 6 != 0].assign(dialogue=None))
    modalities = read({name: [path] for name, path in paths.items()})
    panels, counts = join(modalities, "drop")
    assert counts["dev"] == {"all": 110, "used": 80, "lacking a": 20, "lacking b": 10}
    assert panels["dev"].present.all()
    assert len(panels["dev"].table) == 80
    panels, counts = join(modalities, "renormalise")
    assert counts["dev"] == {"all": 110, "used": 110, "lacking a": 20, "lacking b": 10}
    kept = panels["dev"]
    assert (~kept.present).sum(axis=1).tolist() == [20, 10]
    assert (kept.probabilities[~kept.present] == 1 / 7).all()
    # Where only b has the utterance its dialogue is not known, and the speaker stands in for it.
    assert kept.table["dialogue"].isna().sum() == 20
    assert kept.table["utterance_id"].is_monotonic_increasing


def test_an_audio_run_is_a_modality_of_its_folder(tmp_path, write_tables):
    table = predictions.read(write_tables()["a"])
    assert Modality("a", (tmp_path,), table).run == tmp_path
    assert Modality("a", (tmp_path / "a.parquet",), table).run is None
