"""Corpora of other packages, as distributions made on the spot, in processes of their own."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.data.catalogue import plugin_corpora, read_catalogue
from emokit.data.sources import plugins
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

Install = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

READER = """
from emokit.data.sources.scan import files
from emokit.data.utterance import Dropped, Utterance

CATALOGUE = {"title": "Zoo, three keepers", "labels": {"glad": "happy", "mad": "angry", "odd": None}}

def read(root, options):
    for path in files(root):
        speaker, label, take = path.stem.split("_")
        if take == "x":
            yield Dropped(path.as_posix(), "take x")
            continue
        yield Utterance(f"zoo/{path.stem}", "zoo", path.as_posix(), speaker, label, take=take)
"""

# The first lines of every plug-in: they tell that it was imported.
NOTE = """
import os
with open(os.environ["IMPORTED"], "a") as file:
    file.write("{} ")
"""


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Installs distributions into a folder: `install("zoo", READER)`; further entry points by `points`."""

    def add(name: str, code: str, *points: str) -> Path:
        site = tmp_path / "site"
        info = site / f"{name}_reader-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-reader\nVersion: 1.2\n")
        lines = points or (f"{name} = {name}_reader",)
        (info / "entry_points.txt").write_text("[emokit.corpora]\n" + "".join(f"{line}\n" for line in lines))
        (site / f"{name}_reader.py").write_text(f"{NOTE.format(name)}{code}")
        return site

    return add


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `emokit …` with the installed distributions."""
    monkeypatch.setenv("IMPORTED", str(tmp_path / "imported"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=":")
    (tmp_path / "imported").touch()

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "emokit", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=100)

    return command


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """The recordings of three speakers, two of whose labels are used."""
    random = numpy.random.default_rng(0)
    (tmp_path / "zoo").mkdir()
    for speaker in ("ann", "bob", "cat"):
        for name in ("glad_1", "glad_2", "mad_1", "odd_1", "mad_x"):
            soundfile.write(tmp_path / "zoo" / f"{speaker}_{name}.wav", random.normal(0, 0.1, 16_000), 16_000)
    return tmp_path / "zoo"


def use(monkeypatch: pytest.MonkeyPatch, site: Path, folder: Path) -> None:
    """Make the distributions those of this process, which is faster than one of their own."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("IMPORTED", str(folder / "imported"))
    for name in ("zoo_reader", "emodb_reader"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def sentence(completed: subprocess.CompletedProcess[str]) -> str:
    """The only line of stderr."""
    (line,) = completed.stderr.splitlines()
    return str(line)


def test_a_corpus_of_a_plug_in_is_prepared_like_the_others(
    tmp_path: Path, install: Install, run: Run, zoo: Path
) -> None:
    install("zoo", READER)
    done = run("prepare", "zoo", "--root", f"zoo={zoo}", "--out", "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "zoo: 3 dropped: take x (ann_mad_x.wav, bob_mad_x.wav, cat_mad_x.wav)" in done.stderr.splitlines()
    assert (
        "zoo: 3 dropped: label odd is left out (zoo/ann_odd_1, zoo/bob_odd_1, zoo/cat_odd_1)"
        in done.stderr.splitlines()
    )
    code = (
        "import sys; from pathlib import Path; from emokit.data.prepared import open_prepared; "
        "p = open_prepared(Path('out')); print(p.table.groupby('split').speaker.nunique().to_dict(), len(p.table), "
        "p.ledger['corpora']['zoo']['title'])"
    )
    opened = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert opened.stdout == "{'dev': 1, 'test': 1, 'train': 1} 9 Zoo, three keepers\n"
    again = run("prepare", "zoo", "--root", f"zoo={zoo}", "--out", "out", "--workers", 1)
    assert "nothing has changed since out was prepared" in again.stderr
    module = tmp_path / "site" / "zoo_reader.py"  # other code of the plug-in is other input
    module.write_text(module.read_text().replace('== "x"', '== "2"'))
    changed = run("prepare", "zoo", "--root", f"zoo={zoo}", "--out", "out", "--workers", 1)
    assert "zoo: 3 dropped: take x (ann_glad_2.wav, bob_glad_2.wav, cat_glad_2.wav)" in changed.stderr.splitlines()


def test_a_plug_in_is_imported_only_where_it_is_named(tmp_path: Path, install: Install, run: Run) -> None:
    install("zoo", READER)
    install("broken", "import a_package_that_nobody_has")
    imported = tmp_path / "imported"
    for arguments in (["--help"], ["prepare", "--help"], ["prepare", "emodb", "--show-labels"]):
        assert run(*arguments).returncode == 0
    unknown = run("prepare", "zooo", "--dry-run")
    assert sentence(unknown).startswith("error: The corpus zooo is unknown; did you mean zoo, or name data of your own")
    assert imported.read_text() == ""
    shown = run("prepare", "zoo", "--show-labels")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [line.split() for line in shown.stdout.splitlines() if line.strip()][2:] == [
        ["zoo", "glad", "happy"], ["zoo", "mad", "angry"], ["zoo", "odd", "left", "out"],
    ]  # fmt: skip
    assert imported.read_text() == "zoo "


def test_all_labels_and_doctor_name_a_broken_plug_in_and_show_the_others(install: Install, run: Run) -> None:
    install("zoo", READER)
    install("broken", "import a_package_that_nobody_has")
    problem = (
        "The plug-in broken (broken_reader of broken-reader 1.2) cannot be imported (ModuleNotFoundError: No module named "
        "'a_package_that_nobody_has'); update or uninstall its package."
    )
    shown = run("prepare", "--show-labels", "--json")
    assert (shown.returncode, sentence(shown)) == (0, f"left out: {problem}")
    assert {"zoo", "emodb"} < json.loads(shown.stdout).keys()
    results = {finding["check"]: finding["result"] for finding in json.loads(run("doctor", "--json").stdout)}
    assert (results["plug-in broken"], results["plug-in zoo"]) == (problem, "Zoo, three keepers")


@pytest.mark.parametrize(
    ("name", "code", "points", "problem"),
    [
        (
            "zoo", "CATALOGUE = {}", (),
            "The plug-in zoo (zoo_reader of zoo-reader 1.2) has no function read(root, options); "
            "update or uninstall its package.",
        ),
        (
            "zoo", "def read(root, options): ...", (),
            "The plug-in zoo (zoo_reader of zoo-reader 1.2) has no dict CATALOGUE, like an entry of datasets.yaml; "
            "update or uninstall its package.",
        ),
        (
            "zoo", "1 / 0", (),
            "The plug-in zoo (zoo_reader of zoo-reader 1.2) cannot be imported (ZeroDivisionError: division by zero); "
            "update or uninstall its package.",
        ),
        (
            "zoo", "CATALOGUE = {'lables': {}}\ndef read(root, options): ...", (),
            "The CATALOGUE of the plug-in zoo has the unknown key lables; did you mean labels?",
        ),
        (
            "zoo", "CATALOGUE = {'expected': 0}\ndef read(root, options): ...", (),
            "The CATALOGUE of the plug-in zoo has expected = 0, but it should be greater than or equal to 1.",
        ),
        (
            "emodb", READER, (),
            "The plug-in emodb (emodb_reader of emodb-reader 1.2) has the name of a corpus that emokit knows; "
            "rename it, or uninstall its package.",
        ),
        (
            "zoo", READER, ("zoo = zoo_reader", "zoo = zoo_reader_too"),
            "The plug-in zoo (zoo_reader of zoo-reader 1.2) is there twice, also as zoo_reader_too; "
            "uninstall one of the two packages.",
        ),
    ],
)  # fmt: skip
def test_an_unusable_plug_in_is_refused_and_others_are_not(
    tmp_path: Path,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: str,
    points: tuple[str, ...],
    problem: str,
) -> None:
    use(monkeypatch, install(name, code, *points), tmp_path)
    with pytest.raises(UsageError) as error:
        read_catalogue(named=["tess", name])
    assert str(error.value) == problem
    assert "tess" in read_catalogue(named=["tess"])
    assert plugin_corpora() == ([], {name: problem})


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (
            "yield 'zoo/a'",
            "The plug-in zoo yielded a value of the type str where Utterance or Dropped of emokit.data.utterance was expected; "
            "report it to the authors of zoo_reader of zoo-reader 1.2.",
        ),
        (
            "yield Utterance('zoo/a', 'zoo', None, 'ann', 'glad', text='a')\n    {}['b']",
            "The plug-in zoo failed while it read {root} (KeyError: 'b'); "
            "report it to the authors of zoo_reader of zoo-reader 1.2.",
        ),
        (
            "return None",
            "The plug-in zoo failed while it read {root} (TypeError: 'NoneType' object is not iterable); "
            "report it to the authors of zoo_reader of zoo-reader 1.2.",
        ),
        *(
            (
                f"yield Utterance({arguments})",
                f"The plug-in zoo gives {wrong}, where {expected} was expected; "
                "report it to the authors of zoo_reader of zoo-reader 1.2.",
            )
            for arguments, wrong, expected in [
                ("'zoo/a', 'zoo', '../a.wav', 'ann', 'glad'", "'zoo/a' the path '../a.wav'", "one below the root"),
                (
                    "'zoo/a', 'zoo', root / 'a.wav', 'ann', 'glad'",
                    "'zoo/a' the path PosixPath('{root}/a.wav')",
                    "a text",
                ),
                ("'zoo/a', 'zoo', None, 3, 'glad'", "'zoo/a' the speaker 3", "a text"),
                ("'zoo/a', 'zoo', None, '', 'glad'", "'zoo/a' the speaker ''", "a text"),
                ("'a', 'zoo', None, 'ann', 'glad'", "'a' the utterance_id 'a'", "zoo/…"),
                ("'zoo/a', 'emodb', None, 'ann', 'glad'", "'zoo/a' the corpus 'emodb'", "zoo"),
                ("'zoo/a', 'zoo', None, 'ann', 'glad', turn='1'", "'zoo/a' the turn '1'", "a whole number"),
                (
                    "'zoo/a', 'zoo', None, 'ann', 'glad', split='valid'",
                    "'zoo/a' the split 'valid'",
                    "one of train, dev, test",
                ),
                ("'zoo/a', 'zoo', None, 'ann', 'glad', end_seconds='1'", "'zoo/a' the end_seconds '1'", "a number"),
                ("'zoo/a', 'zoo', None, 'ann', 'glad', flags='odd'", "'zoo/a' the flags 'odd'", "a tuple of texts"),
            ]
        ),
        (
            "yield from 2 * [Utterance('zoo/a', 'zoo', None, 'ann', 'glad', text='a')]",
            "The plug-in zoo gives 'zoo/a' the utterance_id 'zoo/a', where an id of its own was expected; "
            "report it to the authors of zoo_reader of zoo-reader 1.2.",
        ),
    ],
)
def test_what_a_plug_in_yields_is_checked(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch, read: str, problem: str
) -> None:
    code = f"from emokit.data.utterance import Dropped, Utterance\nCATALOGUE = {{}}\ndef read(root, options):\n    {read}\n"
    use(monkeypatch, install("zoo", code), tmp_path)
    with pytest.raises(DataError) as error:
        list(plugins.Plugin("zoo").read(tmp_path, {}))
    assert str(error.value) == problem.replace("{root}", str(tmp_path))


def test_a_failing_plug_in_does_not_stop_the_other_corpora(
    tmp_path: Path, install: Install, run: Run, write_emodb: Callable[..., list[Path]]
) -> None:
    install("zoo", "CATALOGUE = {}\ndef read(root, options):\n    yield 1")
    write_emodb(tmp_path / "emodb")
    roots = ("--root", f"emodb={tmp_path / 'emodb'}", "--root", f"zoo={tmp_path / 'site'}")
    done = run("prepare", "emodb", "zoo", *roots, "--dry-run")
    assert (done.returncode, "emodb" in done.stdout) == (3, True)
    assert sentence(done).startswith("error: The plug-in zoo yielded a value of the type int where Utterance")


def test_the_example_in_the_docs_works(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "corpora-plugin.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    use(monkeypatch, install("zoo", code), tmp_path)
    (tmp_path / "zoo").mkdir()
    for name in ("ann_glad_3.wav", "bob_mad_1.wav", "test_mad_1.wav"):
        (tmp_path / "zoo" / name).touch()
    corpus = read_catalogue(named=["zoo"])["zoo"]
    assert corpus.labels == {"glad": "happy", "mad": "angry", "unclear": None}
    assert list(plugins.Plugin("zoo").read(tmp_path / "zoo", corpus.options)) == [
        Utterance("zoo/ann_glad_3", "zoo", "ann_glad_3.wav", "ann", "glad", sentence="3"),
        Utterance("zoo/bob_mad_1", "zoo", "bob_mad_1.wav", "bob", "mad", sentence="1"),
        Dropped("test_mad_1.wav", "a test of the microphone"),
    ]
