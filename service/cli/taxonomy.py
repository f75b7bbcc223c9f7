"""`heed taxonomy`: check a file of topics, fit it to labels, measure how well it finds them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, NoReturn

import numpy as np
import typer

from calibration.result import Estimate
from models.beliefs import sigmoid
from models.catalog import load
from models.classifier import Classifier
from models.encoder.weights import WeightsRefused
from models.fitted import digest_of, open_topics
from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from models.taxonomies import folder as folders
from models.taxonomies.check import Finding, check_descriptions, check_history
from models.taxonomies.check import check as check_alone
from models.taxonomies.fitting import Labelled, TooFewLabels, fit, gather
from models.taxonomies.folder import HeadRefused
from models.taxonomies.judge import Judge, judge
from models.taxonomies.labels_file import BadLabels, read_labels
from models.taxonomies.taxonomy import BadTaxonomy, Taxonomy, default_taxonomy, parse_taxonomy
from models.taxonomies.topic_head import TopicHead
from models.taxonomies.zero_shot import Floats
from service.cli.output import AsJson, print_json, print_table
from service.cli.topic_scores import Figure, Scores, score
from service.deliver.plain_text import visible
from service.settings import Settings

app = typer.Typer(help="Topics of your own: check, fit, evaluate.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="TAXONOMY.yaml", exists=True, dir_okay=False, readable=True)]
Labels = Annotated[
    Path,
    typer.Argument(
        metavar="LABELS.jsonl",
        help='A line for each text: {"text": "...", "topics": ["delivery"]}, [] for none of these.',
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]
CHECK_FAILED = 3
TRAIN = "train"


@dataclass(frozen=True, slots=True)
class _Encoder:
    """The configured model as far as it makes vectors; `digest` names it for good."""

    classifier: Classifier
    digest: str

    def __call__(self, verbatims: Sequence[Verbatim]) -> Floats:
        readings = self.classifier.read(verbatims, default_taxonomy())
        return np.array([reading.vector for reading in readings], dtype=np.float32)


@app.command()
def check(
    file: File,
    previous: Annotated[
        Path | None, typer.Option(help="The version before: its file, or its fitted folder.", exists=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is doubtful in a taxonomy, and whether it follows the version before. Exit 3 when it does not hold."""
    taxonomy = _taxonomy(file, as_json)
    before = _taxonomy(previous, as_json) if previous else None
    findings = check_alone(taxonomy)
    if before:
        findings += check_history(taxonomy, before)
    encoder = _encoder_or_none()
    if encoder:
        findings += check_descriptions(taxonomy, encoder)
    if findings or as_json:
        _told(file, findings, as_json)
    print(visible(f"Taxonomy '{taxonomy.identity}' is sound: {len(taxonomy.topics)} topics."))


@app.command("fit")
def fit_to_labels(
    file: File,
    labels: Labels,
    out: Annotated[Path, typer.Option(help="The folder for the fitted topics.", file_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Learn topics from labelled texts: those whose split is train, or that name none. Takes seconds."""
    with _one_sentence():
        taxonomy = open_topics(file).taxonomy
        splits = read_labels(labels.read_bytes(), labels.name, taxonomy)
        texts = [*splits.get(None, []), *splits.get(TRAIN, [])]
        encoder = _encoder()
        keywords = KeywordClassifier().read([one.verbatim for one in texts], taxonomy)
        begun = perf_counter()
        evidence = gather(taxonomy, texts, encoder, [reading.topics for reading in keywords])
        head = fit(taxonomy, texts, evidence, encoder.digest)
        folders.save(head, file.read_text(encoding="utf-8"), out)
    _tell_fitted(head, texts, out, perf_counter() - begun, as_json)


@app.command()
def evaluate(
    topics: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_YAML", help="Fitted topics, or a taxonomy without labels.", exists=True, readable=True
        ),
    ],
    labels: Labels,
    split: Annotated[str | None, typer.Option(help="Only texts of this split; else all but train.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure on labelled texts how well topics are found, with intervals of 95 %."""
    with _one_sentence():
        encoder = _encoder()
        used = folders.load(topics, encoder.digest) if topics.is_dir() else open_topics(topics).taxonomy
        judging = judge(used, encoder)
        texts = _of_split(read_labels(labels.read_bytes(), labels.name, judging.taxonomy), labels.name, split)
        scores = _score(judging, encoder, texts)
    if as_json:
        print_json({"taxonomy": judging.taxonomy.identity, "fitted": isinstance(used, TopicHead), **_plain(scores)})
        return
    _tell_scores(scores)


def _taxonomy(path: Path, as_json: bool) -> Taxonomy:
    """What a file says, or that of a fitted folder, without the thresholds it learned."""
    file = path / folders.TAXONOMY if path.is_dir() else path
    found = _parsed(file)
    if isinstance(found, Finding):
        _told(file, [found], as_json)
    return found


def _parsed(file: Path) -> Taxonomy | Finding:
    try:
        return parse_taxonomy(file.read_text(encoding="utf-8"))
    except OSError as error:
        return Finding("error", "file", f"it cannot be read ({error.strerror})", "name a YAML file of topics")
    except UnicodeDecodeError as error:
        return Finding("error", "file", f"it is not UTF-8 (at byte {error.start})", "save it as UTF-8")
    except BadTaxonomy as error:
        return Finding("error", "file", str(error), "correct these places")


def _encoder() -> _Encoder:
    encoder = _encoder_or_none(load(Settings().model))
    if encoder is None:
        raise WeightsRefused(
            f"The model {Settings().model} makes no sentence vectors, which topics are learned from: set HEED_MODEL to "
            "one that does, such as heed-en."
        )
    return encoder


def _encoder_or_none(classifier: Classifier | None = None) -> _Encoder | None:
    """The configured model, if it is there and makes vectors."""
    try:
        classifier = classifier or load(Settings().model)
    except WeightsRefused:
        return None
    if classifier.read([Verbatim("The parcel came late.")], default_taxonomy())[0].vector is None:
        return None
    return _Encoder(classifier, digest_of(classifier))


def _of_split(splits: dict[str | None, list[Labelled]], name: str, split: str | None) -> list[Labelled]:
    chosen = [one for key, texts in splits.items() if (key == split if split else key != TRAIN) for one in texts]
    if not chosen:
        there = ", ".join(sorted(key or "none" for key in splits))
        raise BadLabels(f"{name} holds no text to measure on (its splits: {there}): name one with --split.")
    return chosen


def _score(judging: Judge, encoder: _Encoder, texts: Sequence[Labelled]) -> Scores:
    labels = judging.taxonomy.labels
    verbatims = [one.verbatim for one in texts]
    keywords = KeywordClassifier().read(verbatims, judging.taxonomy)
    beliefs = [
        judging.read(verbatim, vector, reading.topics)
        for verbatim, vector, reading in zip(verbatims, encoder(verbatims), keywords, strict=True)
    ]
    return score(
        labels,
        [topic.threshold for topic in judging.taxonomy.topics],
        np.array([[sigmoid(belief[label]) for label in labels] for belief in beliefs]),
        np.array([[label in one.topics for label in labels] for one in texts]),
        np.array([[label not in one.unknown for label in labels] for one in texts]),
    )


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (BadTaxonomy, BadLabels, TooFewLabels, HeadRefused, WeightsRefused) as error:
        typer.echo(visible(str(error)), err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(visible(f"{error.filename}: {error.strerror}. Name a place you may read and write."), err=True)
        raise typer.Exit(1) from error


def _told(file: Path, findings: Sequence[Finding], as_json: bool) -> NoReturn:
    errors = [one for one in findings if one.severity == "error"]
    if as_json:
        rest = [one for one in findings if one.severity != "error"]
        print_json({"errors": errors, "warnings": rest})
    else:
        for one in findings:
            print(visible(f"{file}: {one.severity}: {one.place}: {one.detail}; {one.remedy}."), file=sys.stderr)
    raise typer.Exit(CHECK_FAILED if errors else 0)


def _tell_fitted(head: TopicHead, texts: Sequence[Labelled], out: Path, seconds: float, as_json: bool) -> None:
    topics = [
        {
            "label": topic.name,
            "labels": sum(topic.name in one.topics for one in texts),
            "learned": topic.name in head.learned,
            "threshold": topic.threshold,
        }
        for topic in head.taxonomy.topics
    ]
    if as_json:
        about = {"folder": str(out), "taxonomy": head.taxonomy.identity, "one_topic_per_text": head.kind == "one"}
        print_json({**about, "texts": len(texts), "seconds": round(seconds, 1), "topics": topics})
        return
    print_table(("topic", "labels", "learned", "threshold"), [_row(topic) for topic in topics])
    print(visible(f"Learned {len(head.learned)} of {len(topics)} topics from {len(texts)} texts into {out}."))


def _row(topic: dict[str, object]) -> list[object]:
    return [topic["label"], topic["labels"], "yes" if topic["learned"] else "too few labels", topic["threshold"]]


def _tell_scores(scores: Scores) -> None:
    columns = ("topic", "texts", "found", "threshold", "precision", "recall", "F1")
    print_table(
        columns,
        [
            (
                one.label,
                one.labelled,
                one.found,
                one.threshold,
                _figure(one.precision),
                _figure(one.recall),
                "-" if one.f1 is None else f"{100 * one.f1:.1f}",
            )
            for one in scores.topics
        ],
    )
    print(f"\n{scores.texts} texts, in percent with intervals of 95 %:")
    print(f"micro-F1 {_figure(scores.micro_f1)}, macro-F1 {_figure(scores.macro_f1)}")
    print(f"first topic right {_figure(scores.first_right)}")


def _figure(figure: Figure) -> str:
    if not isinstance(figure, Estimate):
        return "-"
    return f"{100 * figure.value:.1f} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _plain(scores: Scores) -> dict[str, object]:
    return {
        "texts": scores.texts,
        "micro_f1": scores.micro_f1,
        "macro_f1": scores.macro_f1,
        "first_right": scores.first_right,
        "topics": scores.topics,
    }
