"""What the page says in words: numbers as people write them, and the sentences at its head."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emokit.data.catalogue import SYNTHESISED_TITLE
from emokit.report.gather import Run, Unread
from emokit.report.shapes import Split

# A bootstrap over fewer clusters than this rests on too few speakers to say much about new ones.
FEW_CLUSTERS = 10
NO_VALUE = "–"
MEDIUM = {"audio": "in speech", "text": "in text", "fusion": "by fusion"}


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal, without the sign."""
    return NO_VALUE if share is None else f"{100 * share:.1f}"


def three(value: float | None) -> str:
    """A number with three decimals."""
    return NO_VALUE if value is None else f"{value:.3f}"


def whole(value: int | None) -> str:
    """A count, with commas at the thousands."""
    return NO_VALUE if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: 42 s, 1 min 28 s, 3 h 05 min."""
    if seconds is None:
        return NO_VALUE
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def counted(number: int, noun: str) -> str:
    """A number and its noun: 1 speaker, 12 speakers."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    *others, last = list(names) or [NO_VALUE]
    return f"{', '.join(others)} and {last}" if others else last


def clusters(split: Split) -> str:
    """How many independent speakers (or dialogues) the interval rests on, with "only" where they are few."""
    if split.num_clusters is None:
        return ""
    return ("only " if split.num_clusters < FEW_CLUSTERS else "") + counted(split.num_clusters, split.cluster)


def plain(value: Any) -> str:
    """A setting's value on one line, as YAML and JSON write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as dotted keys and values on one line."""
    found: dict[str, str] = {}
    for key, value in values.items():
        inner = isinstance(value, dict) and value
        found |= flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": plain(value)}
    return found


def differing_settings(run: Run, others: Sequence[Run]) -> list[tuple[str, str, str]]:
    """The settings of `run` that another run of its kind has otherwise: key, value here, values there."""
    here = flat(run.settings)
    there = [flat(other.settings) for other in others if other is not run and other.metrics.kind == run.metrics.kind]
    rows = []
    for key in sorted({key for values in (here, *there) for key in values}):
        value = here.get(key, NO_VALUE)
        elsewhere = sorted({values.get(key, NO_VALUE) for values in there} - {value})
        if elsewhere:
            rows.append((key, value, ", ".join(elsewhere[:4]) + (", …" if len(elsewhere) > 4 else "")))
    return rows


def commands(run: Run) -> list[str]:
    """Lines of a shell that make the run again: the very command that did, then one from its resolved settings."""
    given = run.environment.get("command")
    words = [str(word) for word in given[1:]] if isinstance(given, list) else []
    found = [shlex.join(["emokit", *words])] if words else []
    if run.metrics.kind in ("audio", "text"):
        data = str(run.environment.get("data") or "PREPARED")
        settings = str(run.folder / "settings.yaml")
        again = f"{run.folder}-again"
        found.append("# or from its resolved settings:")
        found.append(shlex.join(["emokit", "train", run.metrics.kind, settings, "--data", data, "--run", again]))
    return found


def outline(run: Run) -> str:
    """One line on what the run is and what it took."""
    metrics = run.metrics
    facts = [metrics.model, metrics.kind]
    if metrics.parameters is not None:
        facts.append(counted(metrics.parameters, "parameter"))
    if metrics.best_epoch is not None and metrics.epochs:
        facts.append(f"best epoch {metrics.best_epoch} of {metrics.epochs}")
    if metrics.seconds is not None:
        facts.append(f"trained in {duration(metrics.seconds)}" + (f" on {metrics.device}" if metrics.device else ""))
    return " · ".join(fact for fact in [*facts, str(run.folder)] if fact)


def circumstances(run: Run) -> list[str]:
    """Seed, hardware and versions, in at most two lines."""
    named = {
        "seed": "seed",
        "device": "device",
        "platform": "",
        "started": "started",
        "emokit": "emokit",
        "git_revision": "revision",
        "python": "Python",
    }
    values = run.environment
    facts = [f"{word} {values[key]}".strip() for key, word in named.items() if values.get(key) is not None]
    packages = values.get("packages")
    versions = (
        [f"{name} {version or 'not installed'}" for name, version in packages.items()]
        if isinstance(packages, dict)
        else []
    )
    return [" · ".join(line) for line in (facts, versions) if line]


def headline(runs: Sequence[Run], unread: Sequence[Unread]) -> list[str]:
    """What was asked, what came out, and what to be careful about: two or three lines."""
    lines = [_asked(runs), _came_out(runs[0])]
    if cautions := _cautions(runs, unread):
        lines.append(" ".join(cautions))
    return lines


def _asked(runs: Sequence[Run]) -> str:
    labels = runs[0].metrics.labels
    media = sorted({MEDIUM[run.metrics.kind] for run in runs if run.metrics.kind in MEDIUM})
    corpora = sorted({name for run in runs for name in (run.ledger.corpora if run.ledger else {})})
    where = f" {listed(media)}" if media else ""
    on = f", on {listed(corpora)}" if corpora else ""
    was = "was" if len(runs) == 1 else "were"
    return f"{counted(len(runs), 'run')} {was} made to tell {listed(labels)} apart{where}{on}."


def _came_out(best: Run) -> str:
    if best.test is None:
        return "No run has scores on a test split."
    interval = best.test.interval.get("uar")
    sure = f" (95\u00a0% interval {percent(interval[0])}–{percent(interval[1])}\u00a0%)" if interval else ""
    beside = [
        f"{percent(baseline.uar)}\u00a0% by the {name} baseline" for name, baseline in best.test.baselines.items()
    ]
    against = f", beside {listed(beside)}" if beside else ""
    return (
        f"{best.name} has the best unweighted average recall on test: {percent(best.test.uar)}\u00a0%{sure}{against}."
    )


def _cautions(runs: Sequence[Run], unread: Sequence[Unread]) -> list[str]:
    best = runs[0].test
    found = []
    ledgers = [run.ledger.corpora for run in runs if run.ledger]
    made = {name for of in ledgers for name, corpus in of.items() if corpus.title.endswith(SYNTHESISED_TITLE)}
    if made:
        found.append(
            f"What is called {listed(sorted(made))} was synthesised by emokit: no score on it holds for people."
        )
    if best:
        interval, simple = best.interval.get("uar"), best.baselines.get("simple")
        if interval and simple and interval[0] <= simple.uar:
            found.append("Its interval does not lie above the simple baseline.")
        if best.num_clusters is not None and best.num_clusters < FEW_CLUSTERS:
            found.append(
                f"The interval rests on only {counted(best.num_clusters, best.cluster)}, "
                "so it says little about how the model does on new ones."
            )
    if len({run.fingerprint for run in runs}) > 1:
        found.append("The runs were made on different data, so their ranks are no comparison.")
    elif len({run.test.n for run in runs if run.test}) > 1:
        found.append("The runs were tested on different utterances, so their ranks are no comparison.")
    if unread:
        found.append(f"{counted(len(unread), 'folder')} could not be read; the table says why.")
    return found
