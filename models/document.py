"""A record from its verbatims, and a reading in the words of the public contract."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.beliefs import most_likely
from models.prediction import (
    SENTIMENTS,
    TYPES,
    Abstention,
    Classification,
    DocumentClassification,
    LabelBelief,
    LanguageBelief,
    Reading,
    SpanOut,
    TopicBelief,
    TypeBelief,
)
from models.taxonomies.taxonomy import Taxonomy

_STRONG = 0.6  # a verbatim this sure of its side counts as taking it


def combine(readings: Sequence[Reading]) -> Reading:
    """The whole record from the readings of its verbatims, in order.

    Of the verbatims that do not abstain (if all do: of all that are not blank, else of all), sentiment is the mean
    weighed by length, topics and types the maximum, urgency that of the most urgent one. The record is mixed if
    one of them is, or if one is clearly positive and another clearly negative. It abstains only if every verbatim
    that is not blank does, for the reason of the longest. It is truncated or degraded if any verbatim is, and in
    the language of the longest, whose vector stands for it. Spans say which verbatim they point into; logits stay with
    the verbatims.

    Raises:
        ValueError: there are no readings; a record of scores only has no classification.
    """
    if not readings:
        raise ValueError("A record without verbatims has no reading: leave its classification empty.")
    written = [reading for reading in readings if reading.abstain != "empty"] or list(readings)
    speaking = [reading for reading in written if reading.abstain is None]
    counted = speaking or written
    longest = max(counted, key=lambda reading: reading.length)
    return Reading(
        sentiment=_mean_sentiment(counted),
        topics=_highest([reading.topics for reading in counted]),
        types=_highest([reading.types for reading in counted]),
        urgency=max(counted, key=lambda reading: (reading.urgency["high"], reading.urgency["normal"])).urgency,
        language=longest.language,
        language_probability=longest.language_probability,
        mixed=any(reading.mixed for reading in counted) or _opposed(counted),
        truncated=any(reading.truncated for reading in readings),
        degraded=any(reading.degraded for reading in readings),
        abstain=None if speaking else longest.abstain,
        spans=tuple(replace(span, verbatim=i) for i, reading in enumerate(readings) for span in reading.spans),
        vector=longest.vector,
        length=sum(reading.length for reading in readings),
    )


def describe(reading: Reading, classifier_name: str, taxonomy: Taxonomy) -> Classification:
    """The public shape of one reading: topics at or above their threshold, highest first."""
    topics = [
        TopicBelief(label=topic.name, probability=reading.topics[topic.name], threshold=topic.threshold)
        for topic in taxonomy.topics
        if reading.topics.get(topic.name, 0.0) >= topic.threshold
    ]
    return Classification(
        classifier=classifier_name,
        sentiment=LabelBelief(label=most_likely(reading.sentiment), probabilities=dict(reading.sentiment)),
        topics=sorted(topics, key=lambda belief: -belief.probability),
        type=TypeBelief(probabilities={label: reading.types[label] for label in TYPES}),
        urgency=LabelBelief(label=most_likely(reading.urgency), probabilities=dict(reading.urgency)),
        language=LanguageBelief(code=reading.language, probability=reading.language_probability),
        mixed=reading.mixed,
        truncated=reading.truncated,
        degraded=reading.degraded,
        abstain=None if reading.abstain is None else Abstention(reason=reading.abstain),
        spans=[
            SpanOut(
                verbatim=span.verbatim,
                start=span.start,
                end=span.end,
                axis=span.axis,
                label=span.label,
                probability=span.probability,
            )
            for span in reading.spans
        ],
    )


def document(readings: Sequence[Reading], classifier_name: str, taxonomy: Taxonomy) -> DocumentClassification:
    """The public shape of a record: the document, and each verbatim in order with spans that name it.

    Raises:
        ValueError: there are no readings, as in `combine`.
    """
    return document_of(combine(readings), readings, classifier_name, taxonomy)


def document_of(
    combined: Reading, readings: Sequence[Reading], classifier_name: str, taxonomy: Taxonomy
) -> DocumentClassification:
    """The public shape of a record that has been combined already, as `document` gives it."""
    whole = describe(combined, classifier_name, taxonomy)
    numbered = [
        replace(reading, spans=tuple(replace(span, verbatim=i) for span in reading.spans))
        for i, reading in enumerate(readings)
    ]
    verbatims = [describe(reading, classifier_name, taxonomy) for reading in numbered]
    return DocumentClassification(**dict(whole), verbatims=verbatims)


def _mean_sentiment(readings: Sequence[Reading]) -> dict[str, float]:
    weights = [max(1, reading.length) for reading in readings]
    return {
        label: sum(w * r.sentiment[label] for w, r in zip(weights, readings, strict=True)) / sum(weights)
        for label in SENTIMENTS
    }


def _highest(beliefs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {label: max(belief[label] for belief in beliefs) for label in beliefs[0]}


def _opposed(readings: Sequence[Reading]) -> bool:
    return all(any(reading.sentiment[side] >= _STRONG for reading in readings) for side in ("positive", "negative"))
