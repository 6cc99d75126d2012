"""Numbers as readers write them, and the sentences at the top of the page."""

from collections.abc import Iterable, Sequence

from emokit.data.catalogue import SYNTHESISED_TITLE
from emokit.modality.registry import MODALITIES, modality
from emokit.model_card import NO_VALUE as NO_VALUE
from emokit.report.comparison.ranking import Standing
from emokit.report.read_runs import Run, Unread
from emokit.schema.metrics import Split

FEW_CLUSTERS = 10  # below this, a bootstrap interval says little about new speakers
MANY_RUNS = 10  # from here on, the best score on test is noticeably optimistic


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal, without the sign."""
    return NO_VALUE if share is None else f"{100 * share:.1f}"


def three_decimals(value: float | None) -> str:
    """A number with three decimals."""
    return NO_VALUE if value is None else f"{value:.3f}"


def p_value(p: float) -> str:
    """A p-value as papers print it: p = 0.012, p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def thousands(value: int | None) -> str:
    """A count with thousands separators."""
    return NO_VALUE if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """A duration: 42 s, 1 min 28 s, 3 h 05 min."""
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
    """Names in a sentence: a, b and c."""
    *others, last = list(names) or [NO_VALUE]
    return f"{', '.join(others)} and {last}" if others else last


def clusters(split: Split) -> str:
    """The number of clusters that an interval is drawn over, with "only" where they are few."""
    if split.num_clusters is None:
        return ""
    if split.num_clusters == split.n > 1:  # comments without a known author: the clusters are not speakers
        return "each utterance by itself"
    return ("only " if split.num_clusters < FEW_CLUSTERS else "") + counted(split.num_clusters, split.cluster)


def points(share: float | None) -> str:
    """A difference of shares in percentage points with its sign: +3.1, −0.4."""
    return NO_VALUE if share is None else f"{100 * share:+.1f}".replace("-", "−")


def headline(standings: Sequence[Standing], unread: Sequence[Unread]) -> list[str]:
    """The task, the result and its caveats: two or three lines."""
    runs = [run for standing in standings for run in standing.experiment.runs]
    lines = [_task(runs), _result(standings)]
    if caveats := _caveats(runs, unread):
        lines.append(" ".join(caveats))
    return lines


def _task(runs: Sequence[Run]) -> str:
    names = {run.metrics.modality for run in runs}
    media = sorted({modality(name).medium for name in names if name in MODALITIES} - {""})
    corpora = sorted({name for run in runs for name in (run.ledger.corpora if run.ledger else {})})
    where = f" {listed(media)}" if media else ""
    on = f", on {listed(corpora)}" if corpora else ""
    verb = "distinguishes" if len(runs) == 1 else "distinguish"
    return f"{counted(len(runs), 'run')} {verb} {listed(runs[0].metrics.labels)}{where}{on}."


def _result(standings: Sequence[Standing]) -> str:
    experiment = standings[0].experiment
    best = experiment.runs[0]
    if best.test is None:
        return "No run has scores on a test split."
    level = [standing.experiment.name for standing in standings if standing.is_level]
    rest = ""
    if level:
        names = listed(level) if len(level) < 4 else counted(len(level), "other")
        rest = f" {names} {'does' if len(level) == 1 else 'do'} not differ significantly from it."
    if len(experiment.runs) > 1:
        return (
            f"{experiment.name} has the best unweighted average recall on test: {percent(experiment.mean('uar'))}\u00a0% "
            f"on average over {len(experiment.runs)} seeds, with a standard deviation of "
            f"{percent(experiment.deviation('uar'))} points.{rest}"
        )
    bounds = best.test.interval.get("uar")
    interval = f" (95\u00a0% interval {percent(bounds[0])}–{percent(bounds[1])}\u00a0%)" if bounds else ""
    baselines = [
        f"{percent(baseline.uar)}\u00a0% by the {name} baseline" for name, baseline in best.test.baselines.items()
    ]
    against = f", against {listed(baselines)}" if baselines else ""
    return (
        f"{best.name} has the best unweighted average recall on test: "
        f"{percent(best.test.uar)}\u00a0%{interval}{against}.{rest}"
    )


def _caveats(runs: Sequence[Run], unread: Sequence[Unread]) -> list[str]:
    best = runs[0].test
    caveats = []
    corpora = [(name, corpus) for run in runs if run.ledger for name, corpus in run.ledger.corpora.items()]
    synthesised = {name for name, corpus in corpora if corpus.title.endswith(SYNTHESISED_TITLE)}
    if synthesised:
        caveats.append(
            f"The data of {listed(sorted(synthesised))} were synthesised by emokit: scores on them do not apply to people."
        )
    if runs[0].metrics.declared:
        caveats.append(f"To be declared with the scores of {runs[0].name}: {runs[0].metrics.declared}.")
    if best:
        interval, simple = best.interval.get("uar"), best.baselines.get("simple")
        if interval and simple and interval[0] <= simple.uar:
            caveats.append(f"The interval of {runs[0].name} is not above its simple baseline.")
        if best.num_clusters is not None and best.num_clusters < FEW_CLUSTERS:
            clusters_counted = counted(best.num_clusters, best.cluster)
            caveats.append(
                f"The interval of {runs[0].name} is over only {clusters_counted}, so it says little about new ones."
            )
    if len({run.fingerprint for run in runs}) > 1:
        caveats.append(
            "The runs were made from different data; compare them by the difference on common utterances, not by rank."
        )
    elif len({run.test.n for run in runs if run.test}) > 1:
        caveats.append(
            "The runs were tested on different utterances; compare them by the difference on common ones, not by rank."
        )
    if len(runs) >= MANY_RUNS:
        caveats.append(f"The best of {len(runs):,} scores on test is optimistic; select among runs on dev.")
    if unread:
        caveats.append(f"{counted(len(unread), 'folder')} could not be read; the table has the reasons.")
    return caveats
