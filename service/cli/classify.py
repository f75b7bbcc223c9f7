"""`heed classify`: what the classifier says of a text, without a database."""

import os
import sys
from typing import Annotated, BinaryIO

import typer

from models.prediction import Classification, Verbatim
from service.classify import Reader
from service.cli.output import AsJson, print_json, print_table
from service.settings import Settings

MOST_TEXTS = 256


def classify(
    text: Annotated[str | None, typer.Argument(help="The text; without it, one text per line is read.")] = None,
    question: Annotated[str | None, typer.Option(help="The survey question it answers.")] = None,
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
    if as_json:
        print_json({"results": read})
    else:
        columns = ("text", "sentiment", "type", "urgency", "topics", "language", "abstains")
        print_table(columns, [_row(one, belief) for one, belief in zip(texts, read, strict=True)])


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
