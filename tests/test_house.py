"""Rules of the code that no linter checks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("emokit", "tests", "experiments")
CONSOLE = "emokit/cli/console.py"
# Folders of tests of whole commands.
NOT_OF_A_MODULE = {"end_to_end", "kills"}
# Test files without a module.
WITHOUT_A_MODULE = {"tests/test_house.py", "tests/test_readme.py"}
# Modules without a test file of their own, each with the file that tests them.
TESTED_ELSEWHERE = {
    "emokit/__main__.py": "tests/audio/test_train.py",
    "emokit/cli/demo.py": "tests/end_to_end/test_demo.py",
    "emokit/data/audio_io/reading.py": "tests/data/audio_io/test_decode.py",
}
# Identifiers of emokit's first version: the field has its own words for these things.
DIALECT = {
    "anew", "crew", "doubted", "doubts", "ears", "found", "guess", "guessed", "guesses", "hands", "heard", "hears", "hinge",
    "kept", "ladder", "rung", "rungs", "said", "wing", "wings",
}  # fmt: skip
# Keys of ledger.json: how many files were found and kept.
NOT_DIALECT = {"num_found", "num_kept"}
# The only modules that name the default label set.
DEFAULT_LABELS_IN = ("emokit/labels.py", "emokit/data/")

HEAVY = ("torch", "torchaudio", "transformers", "accelerate", "librosa", "numpy", "pandas", "matplotlib", "sklearn")
SHOW_EVERY_HELP = f"""
import sys
from typer.main import get_command
from emokit.cli.app import app

def show(names, command):
    try:
        app([*names, "--help"])
    except SystemExit as end:
        if end.code:
            raise
    context = command.make_context(names[-1] if names else "emokit", [], resilient_parsing=True)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        show([*names, name], command.get_command(context, name))

show([], get_command(app))
sys.exit(" ".join(name for name in {HEAVY} if name in sys.modules) or 0)
"""

# Folders of one person or machine, and the addresses that packages are downloaded from.
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work|tmp|mnt|scratch)/\w|\b[A-Z]:\\+Users", re.ASCII)
OF_A_REGISTRY = re.compile(r"://[\w.-]*(?:pypi|pythonhosted|pytorch\.org/whl|artifactory|nexus|npmjs)|index[-_]url")


def files(*folders: str, suffix: str = "") -> list[str]:
    """Files below folders, relative to the root, without caches."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}") if path.is_file()]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths if "__pycache__" not in path.parts)


def nodes(file: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))


def text(file: str) -> str:
    """A file's text; a binary file's has replacement characters in it and is searched all the same."""
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def everything() -> list[str]:
    top = [path.name for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    return sorted(top) + files(*FOLDERS) + files(".github")


def test_no_file_has_more_than_300_lines() -> None:
    lengths = {file: len(text(file).splitlines()) for file in files("emokit", "tests", suffix=".py")}
    assert {file: length for file, length in lengths.items() if length > 300} == {}
    assert CONSOLE in lengths


def test_every_test_file_is_where_its_module_is() -> None:
    misplaced = []
    for file in files("tests", suffix=".py"):
        path = Path(file)
        if path.name == "conftest.py" or file in WITHOUT_A_MODULE or path.parts[1] in NOT_OF_A_MODULE:
            continue
        module = ROOT / "emokit" / path.relative_to("tests").parent / path.stem.removeprefix("test_")
        if not path.name.startswith("test_") or not (module.with_suffix(".py").is_file() or module.is_dir()):
            misplaced.append(file)
    assert misplaced == []


def test_every_module_has_a_test_file_at_its_place() -> None:
    untested = []
    for file in files("emokit", suffix=".py"):
        path = Path(file)
        test = ROOT / "tests" / path.relative_to("emokit").parent / f"test_{path.name}"
        if path.name != "__init__.py" and file not in TESTED_ELSEWHERE and not test.is_file():
            untested.append(file)
    assert untested == []
    assert [test for test in TESTED_ELSEWHERE.values() if not (ROOT / test).is_file()] == []


def identifiers(file: str) -> set[str]:
    """The names that a file defines, binds or reads."""
    names = set()
    for node in nodes(file):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names


def test_identifiers_are_words_of_the_field() -> None:
    dialect = {}
    for file in files("emokit", "tests", suffix=".py"):
        if file == "tests/test_house.py":
            continue
        # The name of a test is a sentence; of its other names, and of all names in emokit, every part counts.
        names = {name for name in identifiers(file) if not name.startswith("test_")} - NOT_DIALECT
        wrong = sorted(name for name in names if DIALECT & set(name.lower().split("_")))
        if wrong:
            dialect[file] = wrong
    assert dialect == {}


def test_no_file_outside_a_modality_tests_which_modality_a_run_has() -> None:
    names = {"audio", "text", "vision", "late-fusion", "fusion", "llm", "slm"}
    rooms = {"audio", "text", "vision", "fusion"}
    comparing = []
    for file in files("emokit", suffix=".py"):
        if Path(file).parts[1] in rooms:
            continue
        for node in nodes(file):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                values = [e for side in sides for e in getattr(side, "elts", [side])]
                if any(isinstance(value, ast.Constant) and value.value in names for value in values):
                    comparing.append(f"{file}:{node.lineno}")
    assert comparing == []


def test_only_data_name_the_default_label_set() -> None:
    naming = [f for f in files("emokit", suffix=".py") if "DEFAULT_LABELS" in identifiers(f)]
    assert [file for file in naming if not file.startswith(DEFAULT_LABELS_IN)] == []
    assert "emokit/labels.py" in naming


def test_nothing_prints_outside_the_console() -> None:
    def prints(node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", None)
            return name in {"pprint", "echo", "secho"} or (isinstance(called, ast.Name) and name == "print")
        is_of_sys = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys"
        return is_of_sys and node.attr in {"stdout", "stderr", "__stdout__", "__stderr__"}

    printing = {file for file in files("emokit", suffix=".py") if any(map(prints, nodes(file)))}
    assert printing == {CONSOLE}


def test_no_csv_is_written_but_by_write_csv_which_quotes_formulas() -> None:
    def writes(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and (
            node.attr == "to_csv" or (node.attr in {"writer", "DictWriter"} and ast.unparse(node.value) == "csv")
        )

    writing = {file for file in files("emokit", suffix=".py") if any(map(writes, nodes(file)))}
    # Synthesised corpora have the files that the corpora's publishers wrote.
    assert writing == {"emokit/files.py", "emokit/data/synthesis/annotated.py"}


def test_nothing_is_asserted_that_a_user_can_cause() -> None:
    asserting = [f for f in files("emokit", suffix=".py") if any(isinstance(node, ast.Assert) for node in nodes(f))]
    assert asserting == []


def test_no_import_is_relative() -> None:
    relative = [
        file
        for file in files("emokit", "tests", suffix=".py")
        if any(isinstance(node, ast.ImportFrom) and node.level for node in nodes(file))
    ]
    assert relative == []


def test_imports_only_go_down() -> None:
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    linted = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "2 kept, 0 broken" in linted.stdout


def test_help_comes_without_anything_heavy() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_EVERY_HELP], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
    assert "doctor" in shown.stdout
    assert "--batch-size" in shown.stdout


def test_a_package_file_holds_one_sentence() -> None:
    for file in set(files("emokit", suffix="__init__.py")) - {"emokit/__init__.py"}:
        (sentence,) = ast.parse(text(file)).body
        assert isinstance(sentence, ast.Expr), file
        assert isinstance(sentence.value, ast.Constant), file


def test_importing_emokit_imports_nothing_heavy() -> None:
    code = f"import sys, emokit; sys.exit(' '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    imported = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize("pattern", [OF_A_MACHINE, OF_A_REGISTRY])
def test_no_file_names_a_folder_of_one_machine_or_a_registry(everything: list[str], pattern: re.Pattern[str]) -> None:
    matches = {file: match.group() for file in everything if (match := pattern.search(text(file)))}
    assert matches == {}


def test_what_must_not_be_named_would_be_seen() -> None:
    slash = "/"
    for named in (f"{slash}home/ann/corpora", f'"{slash}tmp/x"', f"C:{chr(92)}Users"):
        assert OF_A_MACHINE.search(named)
    for harmless in ("/data/emodb", "https://example.org/home/x", "a/work/b", "../tmp/x"):
        assert not OF_A_MACHINE.search(harmless)
    assert OF_A_REGISTRY.search(f"https:{slash * 2}pypi.org/simple")
