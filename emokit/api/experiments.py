"""The experiments and sweeps that come with emokit, found by name or by path, in a clone and in an installed package alike."""

from pathlib import Path
from typing import Any

FOLDER = "experiments"
SWEEP = "sweep"  # the name of a sweep's file ends so


def find_experiment(named: Path | None, modality: str) -> Path | None:
    """The YAML file of an experiment: the file named, or the one of that name or path that comes with emokit.

    Raises:
        UsageError: there is neither; the sentence lists the names that come with emokit.
    """
    return None if named is None else _find(named, _experiments(modality), "settings")


def find_sweep(named: Path) -> Path:
    """The YAML file of a sweep's space, as `find_experiment` finds an experiment's."""
    return _find(named, _sweeps(), "a search space")


def complete_experiment(ctx: Any, incomplete: str) -> list[str]:
    """The names that a shell completes after `emokit train MODALITY`."""
    return [name for name in _experiments(ctx.info_name) if name.startswith(incomplete)]


def complete_sweep(incomplete: str) -> list[str]:
    """The names that a shell completes after `emokit sweep`."""
    return [name for name in _sweeps() if name.startswith(incomplete)]


def _experiments(modality: str) -> dict[str, Path]:
    return {path.stem: path for path in _files(modality) if not path.stem.endswith(SWEEP)}


def _sweeps() -> dict[str, Path]:
    return {path.stem: path for path in _files("*") if path.stem.endswith(SWEEP)}


def _files(modality: str) -> list[Path]:
    from emokit.files import resource

    return sorted(resource(FOLDER).glob(f"{modality}/*.yaml"))


def _find(named: Path, known: dict[str, Path], what: str) -> Path:
    from emokit.errors import UsageError
    from emokit.files import not_a, resource

    is_known = named.parent == Path() and named.stem in known
    if named.exists() and not (is_known and named.is_dir()):  # a run folder may have the experiment's name
        return named  # whatever it is: its reader says what is wrong with it
    if is_known:
        return known[named.stem]
    if named.parts[:1] == (FOLDER,) and (path := resource(FOLDER).joinpath(*named.parts[1:])).is_file():
        return path
    raise UsageError(
        f"{named} {not_a('file', named)}; name a YAML file of {what}, or one that comes with emokit: {', '.join(sorted(known))}."
    )
