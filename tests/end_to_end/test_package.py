"""The names, versions and links of the package, wherever they are written."""

import re
import tomllib
from pathlib import Path

import yaml

from emokit.cli.checkup import COMMAND
from emokit.runtime import VERSION

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_versions_agree() -> None:
    assert VERSION == PROJECT["version"] == CITATION["version"]


def test_the_distribution_has_a_name_of_its_own_and_the_command_is_emokit() -> None:
    assert PROJECT["name"] == "emokit-toolkit"
    assert PROJECT["scripts"] == {"emokit": COMMAND}
    assert PROJECT["authors"] == CITATION["authors"] == [{"name": "The emokit authors"}]
    assert PROJECT["license"] == CITATION["license"]
    assert (ROOT / "emokit" / "py.typed").is_file()


def test_the_long_description_has_no_link_that_an_index_lacks() -> None:
    text = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert re.findall(r"\]\((?!https?://)|src=", text) == []


def test_every_relative_link_of_the_readme_is_a_file() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)
    assert "docs/report.png" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_nobody_is_told_to_install_the_other_package() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "emokit").rglob("*.py")]
    assert [
        path for path in files if re.search(r"emokit\[|pip install emokit\b", path.read_text(encoding="utf-8"))
    ] == []
