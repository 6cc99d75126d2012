"""What the page says in words: numbers as people write them, and the sentences at its head."""

from collections.abc import Iterable, Sequence

from emokit.data.catalogue import SYNTHESISED_TITLE
from emokit.report.comparison.ranking import Standing
from emokit.report.read_runs import Run, Unread
from emokit.schema.metrics import Split

# A bootstrap over fewer clusters than this rests on too few speakers to say much about new ones.
FEW_CLUSTERS = 10
# From here on the best score on test is noticeably the luckiest one.
MANY_RUNS = 10
NO_VALUE = "–"
MEDIUM = {"audio": "in speech", "text": "in text", "fusion": "by fusion"}


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal, without the sign."""
    return NO_VALUE if share is None else f"{100 * share:.1f}"


def three(value: float | None) -> str:
    """A number with three decimals."""
    return NO_VALUE if value is None else f"{value:.3f}"


def chance(p: float) -> str:
    """A probability as papers print it: p = 0.012, p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


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
    if split.num_clusters == split.n > 1:  # nobody knows who wrote most comments, so these are no speakers
        return "each utterance by itself"
    return ("only " if split.num_clusters < FEW_CLUSTERS else "") + counted(split.num_clusters, split.cluster)


def points(share: float | None) -> str:
    """A difference of shares in percentage points with its sign: +3.1, −0.4."""
    return NO_VALUE if share is None else f"{100 * share:+.1f}".replace("-", "−")


def headline(standings: Sequence[Standing], unread: Sequence[Unread]) -> list[str]:
    """What was asked, what came out, and what to be careful about: two or three lines."""
    runs = [run for standing in standings for run in standing.experiment.runs]
    lines = [_asked(runs), _came_out(standings)]
    if cautions := _cautions(runs, unread):
        lines.append(" ".join(cautions))
    return lines


def _asked(runs: Sequence[Run]) -> str:
    labels = runs[0].metrics.labels
    media = sorted({MEDIUM[run.metrics.modality] for run in runs if run.metrics.modality in MEDIUM})
    corpora = sorted({name for run in runs for name in (run.ledger.corpora if run.ledger else {})})
    where = f" {listed(media)}" if media else ""
    on = f", on {listed(corpora)}" if corpora else ""
    was = "was" if len(runs) == 1 else "were"
    return f"{counted(len(runs), 'run')} {was} made to tell {listed(labels)} apart{where}{on}."


def _came_out(standings: Sequence[Standing]) -> str:
    experiment = standings[0].experiment
    best = experiment.runs[0]
    if best.test is None:
        return "No run has scores on a test split."
    level = [standing.experiment.name for standing in standings if standing.is_level]
    rest = (
        f" {listed(level) if len(level) < 4 else counted(len(level), 'other')} cannot be told from it." if level else ""
    )
    if len(experiment.runs) > 1:
        return (
            f"{experiment.name} has the best unweighted average recall on test: {percent(experiment.mean('uar'))}\u00a0% "
            f"on average over {len(experiment.runs)} seeds, with a standard deviation of "
            f"{percent(experiment.deviation('uar'))} points.{rest}"
        )
    interval = best.test.interval.get("uar")
    sure = f" (95\u00a0% interval {percent(interval[0])}–{percent(interval[1])}\u00a0%)" if interval else ""
    beside = [
        f"{percent(baseline.uar)}\u00a0% by the {name} baseline" for name, baseline in best.test.baselines.items()
    ]
    against = f", beside {listed(beside)}" if beside else ""
    return f"{best.name} has the best unweighted average recall on test: {percent(best.test.uar)}\u00a0%{sure}{against}.{rest}"


def _cautions(runs: Sequence[Run], unread: Sequence[Unread]) -> list[str]:
    best = runs[0].test
    found = []
    ledgers = [run.ledger.corpora for run in runs if run.ledger]
    made = {name for of in ledgers for name, corpus in of.items() if corpus.title.endswith(SYNTHESISED_TITLE)}
    if made:
        found.append(
            f"What is called {listed(sorted(made))} was synthesised by emokit: no score on it holds for people."
        )
    if runs[0].metrics.declared:
        found.append(f"To be declared with the scores of {runs[0].name}: {runs[0].metrics.declared}.")
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
        found.append(
            "The runs were made on different data, so compare them by the difference on common utterances, not by rank."
        )
    elif len({run.test.n for run in runs if run.test}) > 1:
        found.append(
            "The runs were tested on different utterances, so compare them by the difference on the common ones, not by rank."
        )
    if len(runs) >= MANY_RUNS:
        found.append(f"The best of {len(runs):,} on test is in part luck; a choice among them belongs on dev.")
    if unread:
        found.append(f"{counted(len(unread), 'folder')} could not be read; the table says why.")
    return found
