"""Tables of `emokit report --compare`, from hand-made differences."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from emokit.cli import comparison_tables as tables
from emokit.report.comparison.paired import Difference, McNemar

SMALL = Difference(0.5, 0.51, 0.01, (-0.02, 0.04))
LARGE = Difference(0.4, 0.6, 0.2, (0.1, 0.3))
NONE = Difference(None, None, None, None)


def lines(table):
    """A table's lines with one space between their words."""
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip()]


@pytest.fixture
def compared():
    """The comparison of the experiments `before` and `[after]`."""
    comparison = SimpleNamespace(
        scores=dict.fromkeys(("uar", "accuracy", "weighted_f1", "macro_f1"), SMALL) | {"uar": LARGE},
        support={"calm": 12, "odd": 0},
        recall={"calm": LARGE, "odd": NONE},
        f1={"calm": SMALL, "odd": NONE},
        mcnemar=McNemar(1, 2, 3, 4, "exact", 0.5),
    )
    single = SimpleNamespace(runs=[1], is_tested=True)
    return SimpleNamespace(names=("before", "[after]"), comparison=comparison, first=single, second=single)


def test_scores_are_in_percent_with_the_difference_in_points(compared):
    shown = lines(tables.scores(compared))
    assert shown[0] == "[after] minus before"
    assert shown[1] == "before [after] difference (95 % interval)"
    assert shown[3:5] == ["UAR % 40.0 60.0 +20.0 (+10.0 to +30.0)", "accuracy % 50.0 51.0 +1.0 (−2.0 to +4.0)"]


def test_over_too_few_clusters_there_is_no_interval(compared):
    few = Difference(0.4, 0.6, 0.2, (0.1, 0.3), too_few=True)
    compared.comparison.scores = dict.fromkeys(compared.comparison.scores, few)
    compared.comparison.num_clusters, compared.comparison.cluster = 2, "speaker"
    shown = lines(tables.scores(compared))
    assert shown[3] == "UAR % 40.0 60.0 +20.0 (too few)"
    assert shown[-1] == "too few: 2 speakers (test); a 95 % interval needs 6 or more"


def test_each_class_has_its_support_and_a_dash_without_a_difference(compared):
    shown = lines(tables.classes(compared))
    assert shown[1] == "support recall F1"
    assert shown[3:] == ["calm 12 +20.0 (+10.0 to +30.0) +1.0 (−2.0 to +4.0)", "odd 0 – –"]


def test_single_runs_have_mcnemars_counts_and_no_table_of_seeds(compared):
    assert tables.seeds(compared) is None
    assert tables.mcnemar(compared).startswith(
        "correct: both 1, only before 2, only [after] 3, neither 4; McNemar's test (exact): "
    )


def test_seeds_have_mean_and_deviation_and_no_test(compared):
    compared.second = SimpleNamespace(
        runs=[1, 2], is_tested=True, name="[after]", seeds=[2, 1], mean=lambda _: 0.5, deviation=lambda _: 0.012
    )
    compared.comparison.mcnemar = None
    assert lines(tables.seeds(compared))[3] == "[after] 1, 2 50.0 ± 1.2 50.0 ± 1.2 50.0 ± 1.2 50.0 ± 1.2"
    assert tables.mcnemar(compared) is None
