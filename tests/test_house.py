"""The rules of the house that no linter knows."""

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
# Test files that stand for no one module; whole wings stand in tests/end_to_end.
OF_NO_MODULE = {"tests/test_house.py", "tests/test_readme.py"}

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
    for name, inner in getattr(command, "commands", {{}}).items():
        show([*names, name], inner)

show([], get_command(app))
sys.exit(" ".join(name for name in {HEAVY} if name in sys.modules) or 0)
"""

# Folders of one person's or one machine's, and where packages are fetched from.
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work|tmp|mnt|scratch)/\w|\b[A-Z]:\\+Users", re.ASCII)
OF_A_REGISTRY = re.compile(r"://[\w.-]*(?:pypi|pythonhosted|pytorch\.org/whl|artifactory|nexus|npmjs)|index[-_]url")


def files(*folders: str, suffix: str = "") -> list[str]:
    """Files below folders, relative to the root; what caches leave there is none of ours."""
    found = [path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}") if path.is_file()]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts)


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


def test_every_test_file_stands_where_its_module_stands() -> None:
    homeless = []
    for file in files("tests", suffix=".py"):
        path = Path(file)
        if path.name == "conftest.py" or file in OF_NO_MODULE or path.is_relative_to("tests/end_to_end"):
            continue
        module = ROOT / "emokit" / path.relative_to("tests").parent / path.stem.removeprefix("test_")
        if not path.name.startswith("test_") or not (module.with_suffix(".py").is_file() or module.is_dir()):
            homeless.append(file)
    assert homeless == []


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


def test_emokits_own_package_file_holds_the_version_too_and_has_transformers_know_its_models() -> None:
    _, *rest = [ast.unparse(node) for node in ast.parse(text("emokit/__init__.py")).body]
    assert rest[0] == "from emokit.registration import follow"
    assert rest[1].startswith("__version__ = ")
    assert rest[2:] == ["follow()"]


@pytest.mark.parametrize("pattern", [OF_A_MACHINE, OF_A_REGISTRY])
def test_no_file_names_a_folder_of_one_machine_or_a_registry(everything: list[str], pattern: re.Pattern[str]) -> None:
    found = {file: match.group() for file in everything if (match := pattern.search(text(file)))}
    assert found == {}


def test_what_must_not_be_named_would_be_seen() -> None:
    slash = "/"
    for named in (f"{slash}home/ann/corpora", f'"{slash}tmp/x"', f"C:{chr(92)}Users"):
        assert OF_A_MACHINE.search(named)
    for harmless in ("/data/emodb", "https://example.org/home/x", "a/work/b", "../tmp/x"):
        assert not OF_A_MACHINE.search(harmless)
    assert OF_A_REGISTRY.search(f"https:{slash * 2}pypi.org/simple")
