"""`heed bench models` at a tiny size, with a peer that only pretends: what is reported, and what a miss does."""

import stat
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from models.catalog import load as load_classifier
from models.encoder.heed_en import SHIPPED, HeedEn
from service.bench import gemm_peak, models
from service.bench.cold_start import Start, started
from service.bench.figures import BenchFailed
from service.bench.goals import all_kept, judged
from service.bench.http_efficiency import Costs, service
from service.bench.pipelines import checkpoints, pipelines
from service.bench.texts import customer_texts
from service.cli.commands import load
from service.settings import Settings

READS = """
import json, sys
if sys.argv[3] == "read":
    print("a library says hello")
    print(json.dumps({"versions": "torch 9, transformers 9"}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"cpu": 0.5 * len(json.loads(line))}), flush=True)
print(2048)
"""
DIES = "import sys; sys.exit('No module named torch' if sys.argv[3] == 'read' else 0)"
LACKS_ALL = "import sys; sys.exit('No module named transformers')"
NO_PEER = "start, pipeline (CPU s)"


@pytest.fixture
def interpreter(tmp_path):
    """Makes a program that takes the place of the peer's interpreter."""

    def make(program: str) -> Path:
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\n{program}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.mark.parametrize(
    ("measured", "better", "verdict"),
    [
        (12.0, "more", "aim"),
        (9.0, "more", "must"),
        (8.9, "more", "MISSED"),
        (None, "more", "not measured"),
        (9.0, "less", "aim"),
        (12.0, "less", "aim"),
        (12.1, "less", "MISSED"),
    ],
)
def test_a_figure_on_its_bound_has_reached_it(measured, better, verdict):
    goal = judged("x", measured, 9, 12, better=better)
    assert (goal.verdict, all_kept([goal])) == (verdict, verdict in {"aim", "must"})


def test_the_int8_model_multiplies():
    session = onnxruntime.InferenceSession(gemm_peak._graph(2, 3, 300))
    weights = np.random.default_rng(1).integers(-127, 127, (3, 300), dtype=np.int8)
    a = np.array([[1, 2, 255], [0, 9, 7]], dtype=np.uint8)
    assert np.array_equal(session.run(None, {"a": a})[0], a.astype(np.int32) @ weights)
    peak = gemm_peak.int8_peak(rows=(1, 8), sizes=((8, 8),), seconds=0.001)
    assert peak.best >= peak.fewest_rows > 0


def test_texts_are_as_long_as_those_of_customers():
    texts = customer_texts(1_000)
    words = [len(text.split()) for text in texts]
    assert 22 < np.mean(words) < 26
    assert 65 < np.percentile(words, 99) < 95
    assert len(set(texts)) > 990
    assert not any("(b " in text for text in texts)
    assert customer_texts(10) == texts[:10]


def test_a_fresh_process_is_measured_as_a_whole():
    busy = "sum(range(3_000_000)); print('hello'); print(2048)"
    start = started([sys.executable, "-c", busy], {})
    assert start.peak == 2
    assert start.cpu > 0.01


@pytest.mark.parametrize(
    ("program", "reason"), [("import no_such_module", "no_such_module"), ("print('hello')", "hello"), ("", "nothing")]
)
def test_a_fresh_process_without_an_answer_is_one_sentence(program, reason):
    with pytest.raises(BenchFailed, match=reason):
        started([sys.executable, "-c", program], {})


def test_the_pipelines_answer_in_turn(interpreter):
    with checkpoints(interpreter(READS), Path("tokenizer.json")) as made, pipelines(made) as peer:
        assert peer.versions == "torch 9, transformers 9"
        assert [peer.read(["a", "b"]), peer.read(["c"])] == [1.0, 0.5]
        assert started(made.command("answer"), {}).peak == 2
    assert not made.folder.exists()


@pytest.mark.parametrize(("program", "missing"), [(DIES, "torch"), (LACKS_ALL, "transformers")])
def test_an_interpreter_without_the_libraries_is_one_sentence(interpreter, program, missing):
    with (
        pytest.raises(BenchFailed, match=f"pipelines did not run .No module named {missing}"),
        checkpoints(interpreter(program), Path("tokenizer.json")) as made,
        pipelines(made),
    ):
        pass


def test_what_is_no_interpreter_is_one_sentence(tmp_path):
    with (
        pytest.raises(BenchFailed, match="does not start"),
        checkpoints(tmp_path / "none", Path("tokenizer.json")),
    ):
        pass


@pytest.fixture(scope="module")
def shipped():
    return HeedEn(SHIPPED)


@pytest.fixture
def measured(monkeypatch, shipped):
    """A report of the shipped weights, with the parts that take long in steps of their own made up."""
    costs = SimpleNamespace(round=lambda _: Costs(0.004, 0.0048, 0.0041))
    monkeypatch.setattr(models, "HeedEn", lambda _: shipped)
    monkeypatch.setattr(models, "service", lambda *_: nullcontext(costs))
    monkeypatch.setattr(models, "int8_peak", lambda: gemm_peak.Peak(4e9, 2e9))
    monkeypatch.setattr(models, "heed_command", lambda path, _: [path])
    monkeypatch.setattr(models, "started", lambda command, _: Start(0.1 if command[0] == "encoder" else 0.9, 100))
    return lambda peer: models.measure(Settings(), SHIPPED, peer, 10, 1)


def test_everything_is_measured_side_by_side(measured, interpreter):
    report = measured(interpreter(READS))
    goals = {goal.what: goal for goal in report.goals}
    assert len(goals) == 10
    assert all(goal.measured is not None for goal in goals.values())
    assert goals["start, encoder: CPU s / pipeline's"].measured == pytest.approx(1 / 9)
    assert goals["HTTP, 64 clients: in process / service"].measured == pytest.approx(0.4 / 0.48)
    assert report.figures["two pipelines (ms a text)"].rounds == (500,)
    pace = report.figures["encoder path (ms a text)"].median
    assert goals["two pipelines / whole reading"].measured > 1
    assert 0 < pace < report.figures["whole reading (ms a text)"].median
    assert report.kept == all_kept(report.goals)
    assert "torch 9" in report.notes[0]


@pytest.mark.parametrize(("program", "reason"), [(DIES, "No module named torch"), (None, "does not start")])
def test_without_a_peer_its_goals_are_not_measured_and_not_kept(measured, interpreter, tmp_path, program, reason):
    report = measured(interpreter(program) if program else tmp_path / "none")
    unmeasured = [goal.what for goal in report.goals if goal.measured is None]
    assert len(unmeasured) == 5
    assert all("pipeline" in what for what in unmeasured)
    assert not report.kept
    assert reason in report.notes[0]
    assert "--peer-python" in report.notes[0]
    assert NO_PEER not in report.figures


def test_weights_that_are_not_there_are_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        load("bench")(["models", "--weights", str(tmp_path)])
    assert ended.value.code == 1
    assert "manifest.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(("share", "code"), [(0.38, 0), (0.36, 3), (None, 3)])
def test_a_goal_that_is_missed_or_unmeasured_ends_with_3(monkeypatch, capsys, share, code):
    goal = judged("encoder path / int8 peak", share, 0.37, 0.5)
    report = models.ModelsReport(
        bench="models",
        model="heed-en@1",
        texts=1,
        goals=[goal],
        kept=all_kept([goal]),
        figures={},
        noisy=(),
        notes=["A note."],
        cores=1,
        python="3",
        load=(0, 0),
        how=models.HOW,
    )
    monkeypatch.setattr(models, "measure", lambda *_: replace(report))
    with pytest.raises(SystemExit) as ended:
        load("bench")(["models"])
    assert (ended.value.code or 0) == code
    out = capsys.readouterr().out
    assert goal.verdict in out
    assert "A note." in out


def test_the_service_is_posted_to_alone_and_in_lists(server_url, tmp_path):
    settings = Settings(home=tmp_path / "never", database_url=server_url, model="keywords")
    with service(settings, load_classifier("keywords")) as running:
        costs = running.round(["The parcel came late."] * 100)
    assert costs.single > costs.inside > 0
    assert costs.listed > 0
