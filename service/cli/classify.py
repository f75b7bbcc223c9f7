"""`heed classify`: what the classifier says of a text, without a database."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, BinaryIO, Literal

import typer

from models.beliefs import most_likely
from models.encoder.heed_en import HeedEn
from models.encoder.highlights import highlights
from models.fallback import Fallback, load_or_fall_back
from models.prediction import Classification, Verbatim
from service.classify import Reader
from service.cli.output import AsJson, print_json, print_table
from service.settings import Settings

MOST_TEXTS = 256
Axis = Literal["sentiment", "type", "urgency"]


def classify(
    text: Annotated[str | None, typer.Argument(help="The text; without it, one text per line is read.")] = None,
    question: Annotated[str | None, typer.Option(help="The survey question it answers.")] = None,
    explain: Annotated[
        Axis | None, typer.Option(help="Say what each word adds to the likeliest label of this axis (a run per word).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a text, or the lines of standard input, on every axis. Nothing is stored."""
    texts = [_readable(os.fsencode(text))] if text is not None else _lines(sys.stdin.buffer)
    settings = Settings()
    reader = Reader(settings.model, settings.taxonomy)
    read = [
        belief
        for start in range(0, len(texts), MOST_TEXTS)
        for belief in reader.read([Verbatim(one, question) for one in texts[start : start + MOST_TEXTS]])
    ]
    if reader.trouble is not None:
        typer.echo(f"Keywords read in place of the model: {reader.trouble}", err=True)
    if explain is not None:
        _explain(settings.model, list(zip(texts, read, strict=True)), question, explain, as_json=as_json)
    elif as_json:
        print_json({"results": read})
    else:
        columns = ("text", "sentiment", "type", "urgency", "topics", "language", "abstains")
        print_table(columns, [_row(one, belief) for one, belief in zip(texts, read, strict=True)])


def _explain(
    model: str, read: Sequence[tuple[str, Classification]], question: str | None, axis: Axis, *, as_json: bool
) -> None:
    """The classifications with what each word adds, as JSON or word by word."""
    classifier = load_or_fall_back(model)
    if not isinstance(classifier, HeedEn):
        remedy = "put the model right first" if isinstance(classifier, Fallback) else "leave HEED_MODEL unset"
        typer.echo(f"{classifier.name} cannot say what single words add: {remedy}.", err=True)
        raise typer.Exit(2)
    results = []
    for text, belief in read:
        label = _likeliest(belief, axis)
        found = highlights(classifier.encoder, text, question, axis, label)
        results.append({**belief.model_dump(), "highlights": {"axis": axis, "label": label, "words": found}})
        if not as_json:
            rows = [(text[one.start : one.end], f"{one.weight:+.2f}") for one in found]
            print_table(("word", f"adds to {axis} {label}"), rows)
    if as_json:
        print_json({"results": results})


def _likeliest(belief: Classification, axis: Axis) -> str:
    beliefs: Mapping[Axis, Mapping[str, float]] = {
        "sentiment": belief.sentiment.probabilities,
        "type": belief.type.probabilities,
        "urgency": belief.urgency.probabilities,
    }
    return most_likely(beliefs[axis])


def _lines(file: BinaryIO) -> list[str]:
    return [_readable(line).rstrip("\r\n") for line in file]


def _readable(raw: bytes) -> str:
    """Whatever the locale says, texts are UTF-8; what is not becomes a replacement character."""
    return raw.decode(errors="replace")


def _row(text: str, belief: Classification) -> list[str]:
    kinds = [f"{label} {value:.2f}" for label, value in belief.type.probabilities.items() if value >= 0.5]
    return [
        text if len(text) <= 60 else text[:59] + "…",
        f"{belief.sentiment.label} {belief.sentiment.probabilities[belief.sentiment.label]:.2f}",
        ", ".join(kinds),
        belief.urgency.label,
        ", ".join(f"{topic.label} {topic.probability:.2f}" for topic in belief.topics),
        belief.language.code,
        belief.abstain.reason if belief.abstain else "",
    ]
