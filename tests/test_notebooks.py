"""The notebooks run from top to bottom, end in a picture, are kept without outputs, and what they tell is so."""

import ast
import json
import re
from contextlib import chdir
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from calibration.thresholds.precision import Certified, Refused

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ("01_explore", "02_evaluate", "03_thresholds")
LINES = 12  # of a code cell: more is no page to follow


def read(name):
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))


def code(name):
    return ["".join(cell["source"]) for cell in read(name)["cells"] if cell["cell_type"] == "code"]


def run_cell(source, names):
    """What a notebook shows below a cell: the value of a last expression, drawn by itself where it can."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 (running them is the test)
    if last is None:
        return ""
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 (as above)
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


@cache
def run(name, folder):
    """The names a notebook leaves behind, and what its last cell shows. Jupyter runs it in its own folder."""
    names = {"__name__": "__main__"}
    with chdir(folder):
        shown = [run_cell(source, names) for source in code(name)]
    return SimpleNamespace(**names), shown[-1]


def told_by(name):
    return run(name, ROOT)[0]


@pytest.mark.parametrize("folder", [ROOT, ROOT / "notebooks"], ids=["root", "notebooks"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs_and_the_last_shows_a_picture(name, folder):
    _, picture = run(name, folder)
    assert "<svg" in picture


def test_every_notebook_is_tested():
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == list(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs(name):
    book = read(name)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    cells = book["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", cell["id"])
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {})


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_words_stand_before_every_short_cell(name):
    kinds = [cell["cell_type"] for cell in read(name)["cells"]]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)
    assert max(len(source.splitlines()) for source in code(name)) <= LINES


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_points_only_at_notebooks_that_exist(name):
    words = "".join("".join(cell["source"]) for cell in read(name)["cells"] if cell["cell_type"] == "markdown")
    assert all((ROOT / "notebooks" / target).is_file() for target in re.findall(r"\]\(([^)]+)\)", words))


def test_what_01_tells_about_the_demo_is_so():
    found = told_by("01_explore")
    assert len(found.records) == 300
    assert {len(record.get("verbatims", [])) for record in found.records} == {0, 1, 2}
    assert set(found.silent) == {"language", "short", "empty"}
    steps = [found.beyond(at) for at in found.steps]
    assert steps == sorted(steps, reverse=True)


def test_what_02_tells_about_people_is_so():
    found = told_by("02_evaluate")
    assert found.alpha.high < 0.667
    assert found.kappa.value < 0
    people = np.mean(found.ratings == found.complaint[:, None], axis=0)
    assert np.abs(people - np.mean(found.model == found.complaint)).max() < 0.02, "all are wrong equally often"
    assert found.people_unfair - found.model_unfair > 0.05, "and still the unfair comparison sees a difference"
    assert found.fair.pooled.difference.low < 0 < found.fair.pooled.difference.high
    assert found.fair.standing == "within the range of your people"


def test_what_02_tells_about_probabilities_is_so():
    found = told_by("02_evaluate")
    assert found.before.exceeds_chance
    assert not found.without_fault.exceeds_chance
    assert not found.after.exceeds_chance
    assert found.gain.low > 0
    assert found.chosen.name == "Platt on logits"


def test_what_03_tells_about_thresholds_is_so():
    found = told_by("03_thresholds")
    assert 0.4 <= found.broken / len(found.draws) <= 0.6, "about half"
    assert found.broken_certified / len(found.draws) <= 0.05
    assert len(found.certified) < len(found.draws), "some samples have none"
    assert isinstance(found.mine, Certified)
    assert found.world.precision(found.mine.threshold) >= 0.90
    assert found.obvious(found.scores, found.right) < found.mine.threshold


def test_what_03_tells_about_refusals_topics_and_alarms_is_so():
    found = told_by("03_thresholds")
    assert (found.rung.n, found.rung.errors, found.early.need) == (12, 0, 29)
    assert found.todo.sentence == "Label 34 more above 0.82 and, if at most 1 is wrong, the 90 % promise holds."
    outcomes = {one.topic: type(one.outcome) for one in found.together.outcomes}
    assert outcomes == {"billing": Certified, "delivery": Certified, "refunds": Refused}
    assert found.alarm.alarm_week == 12 + 3, "the third bad week"
