"""From a trained network to the folder that ships: the int8 graph, and everything that is fitted on it."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch

from models.beliefs import log_odds
from models.characters import normalise
from models.encoder.limits import limits
from models.encoder.session import Encoder, Pass
from models.encoder.weights import LEAST, Blend, Config, Domain, Scaled, Weights, vector_digest
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Reading, Verbatim
from models.taxonomies import folder as topic_folder
from models.taxonomies.fitting import Labelled as TopicLabelled
from models.taxonomies.fitting import fit, gather
from models.taxonomies.taxonomy import DEFAULT, default_taxonomy
from models.taxonomies.topic_head import with_thresholds
from models.training.batches import Batches, Lesson
from models.training.domain import FittedDomain, fit_domain
from models.training.fit_heads import PLAIN, fit_blend, fit_sentiment, plain
from models.training.graph import Floats, build
from models.training.lessons import Course, keywords
from models.training.network import VECTOR, Network
from models.training.recipe import Recipe
from models.training.smoothing import reach, smooth

STRENGTH = 0.7  # of the smoothing: label agreement with float32 98.4 %, at .5 98.0 %; it costs 2 % of the time
_LOOKED_AT = 120  # texts of each file whose activations are measured
_MANY = 12_000  # vectors the domain's centres are made of


@dataclass(frozen=True, slots=True)
class _Judged:
    """Lessons and what the int8 graph says of them: row 0 of each pass."""

    lessons: Sequence[Lesson]
    sentiment: Floats
    types: Floats
    urgency: Floats
    vectors: Floats


def export(
    network: Network, course: Course, batches: Batches, recipe: Recipe, tokenizer: bytes, folder: Path
) -> dict[str, float]:
    """Write the weights folder of a trained network and return the figures measured on the way.

    Maps, blends, centres and topics are fitted on `course.held` and on half of our own dev texts, with the int8
    graph; the rest of `dev` is only measured.

    Raises:
        TooFewLabels: the texts about the topics heed brings are too few to learn them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = _graph(network, course, batches)
    encoder = Encoder(_unfitted(recipe, tokenizer, graph))
    held = _read(encoder, [one for lessons in course.held.values() for one in lessons])
    config = _config(recipe, held, _read(encoder, _own(course)))
    domain = _domain(encoder, course, held)
    config = config.model_copy(update={"domain": domain.config})
    contents = {
        "config.json": (json.dumps(config.model_dump(mode="json"), indent=2) + "\n").encode(),
        "tokenizer.json": tokenizer,
        "model.onnx": graph,
        "domain.safetensors": domain.content,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    _topics(encoder, course, folder / "topics")
    return _figures(network, encoder, course, batches)


def seal(folder: Path, facts: Mapping[str, object]) -> None:
    """Write the manifest: the digest of every file that is loaded or read, and what people should know of them."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / "manifest.json")
    digests = {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    manifest = {"sha256": digests, **facts}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _graph(network: Network, course: Course, batches: Batches) -> bytes:
    weights = {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
    network = network.cpu().eval()
    layers = len(network.encoder.encoder.layer)
    reached = reach(network, [one for lessons in course.train.values() for one in lessons[:_LOOKED_AT]], batches)
    smoothing = smooth(weights, reached, layers=layers, strength=STRENGTH)
    model = build(weights, layers=layers, heads=network.encoder.config.num_attention_heads, smoothing=smoothing)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _unfitted(recipe: Recipe, tokenizer: bytes, graph: bytes) -> Weights:
    labels = {"sentiment": SENTIMENTS, "type": TYPES, "urgency": URGENCIES}
    config = Config(
        name=recipe.name,
        version=recipe.version,
        tokens=256,
        question_tokens=recipe.numbers.question_tokens,
        id2label=labels,
        sentiment=plain(6),
        clause=plain(3),
        type=(PLAIN,) * len(TYPES),
        urgency=(PLAIN, PLAIN),
        domain=Domain(nearest=1, cut=-1.0),
    )
    vectors = vector_digest(*(hashlib.sha256(one).hexdigest() for one in (tokenizer, graph)))
    return Weights(config, tokenizer, graph, b"", Path(), vectors, whole=vectors)


def _read(encoder: Encoder, lessons: Sequence[Lesson]) -> _Judged:
    passes: list[Pass] = []
    for one in lessons:
        asked = one.question[: encoder.config.question_tokens]
        passes.append(encoder.run(one.tokens[: encoder.room(asked)], asked, ()))
    columns = [
        np.array([getattr(said, name)[0] for said in passes], dtype=np.float32).reshape(len(passes), width)
        for name, width in (("sentiment", len(SENTIMENTS)), ("type", len(TYPES)), ("urgency", 2), ("vector", VECTOR))
    ]
    return _Judged(lessons, *columns)


def _own(course: Course) -> list[Lesson]:
    """Our own texts with a type and an urgency that a person gave: those held back, and half of those of dev."""
    found = [one for lessons in course.held.values() for one in lessons]
    found += [one for lessons in course.dev.values() for one in lessons if _is_for_fitting(one)]
    return [one for one in found if one.labels.types is not None and one.labels.urgency is not None]


def _is_for_fitting(lesson: Lesson) -> bool:
    return hashlib.sha256(lesson.labels.text.encode()).digest()[0] < 128


def _config(recipe: Recipe, held: _Judged, own: _Judged) -> Config:
    words = [keywords(one.labels) for one in own.lessons]
    types = tuple(_type(own, words, place) for place in range(len(TYPES)))
    urgency = tuple(_urgency(own, words, level) for level in range(2))
    heads = {"type": types, "urgency": urgency, **_sentiment(held)}
    return _unfitted(recipe, b"", b"").config.model_copy(update=heads)


def _sentiment(held: _Judged) -> dict[str, Scaled]:
    """The maps for a whole text, whose words are asked too, and for a clause."""
    judged = [i for i, one in enumerate(held.lessons) if one.labels.sentiment and not one.labels.sides_only]
    if not judged:
        return {}
    targets = np.array([held.lessons[i].labels.sentiment for i in judged], dtype=np.float32)
    spoken = np.array([_spoken(held.lessons[i]) for i in judged], dtype=np.float32)
    logits = held.sentiment[judged]
    return {
        "sentiment": fit_sentiment(np.concatenate([logits, spoken], axis=1), targets),
        "clause": fit_sentiment(logits, targets),
    }


def _spoken(lesson: Lesson) -> list[float]:
    """Log-probabilities of the keyword baseline."""
    return [math.log(belief) for belief in keywords(lesson.labels).sentiment.values()]


def _type(own: _Judged, words: Sequence[Reading], place: int) -> Blend:
    """On the texts of which somebody judged this type."""
    judged = {i: one.labels.types.get(TYPES[place]) for i, one in enumerate(own.lessons) if one.labels.types}
    held = {i: belief >= 0.5 for i, belief in judged.items() if belief is not None}
    rows = list(held)
    told = [words[i].logits["type"][place] for i in rows]
    return fit_blend(own.types[rows, place], told, list(held.values()))


def _urgency(own: _Judged, words: Sequence[Reading], level: int) -> Blend:
    """Of being above `level`: 0 low, 1 normal."""
    above = [sum((one.labels.urgency or (1.0, 0.0, 0.0))[level + 1 :]) >= 0.5 for one in own.lessons]
    spoken = [sum(one.urgency[label] for label in URGENCIES[level + 1 :]) for one in words]
    return fit_blend(own.urgency[:, level], [log_odds(one, LEAST) for one in spoken], above)


def _domain(encoder: Encoder, course: Course, held: _Judged) -> FittedDomain:
    """Centres of the feedback that was learned from; tweets and forum talk hold everything and would blunt them."""
    taught = [one for file in course.files if file.feedback for one in course.train[file.file]]
    chance = np.random.default_rng(course.seed)
    chosen = chance.permutation(len(taught))[:_MANY]
    vectors = _read(encoder, [taught[i] for i in chosen]).vectors
    feedback = {id(one) for file in course.files if file.feedback for one in course.held[file.file]}
    aside = [i for i, one in enumerate(held.lessons) if id(one) in feedback]
    spoken = [i for i in aside if _speaks(encoder, held.lessons[i])] or aside  # a coarse cut, where none can be read
    return fit_domain(vectors, held.vectors[spoken], seed=course.seed)


def _speaks(encoder: Encoder, lesson: Lesson) -> bool:
    verbatim = Verbatim(lesson.labels.text, lesson.labels.question)
    return limits(verbatim, encoder.tokens(normalise(verbatim.text)).offsets).abstain is None


def _topics(encoder: Encoder, course: Course, folder: Path) -> None:
    """The head for the topics heed brings, from our own texts; its thresholds stay those of the taxonomy."""
    taxonomy = default_taxonomy()
    lessons = [one for file in course.files_about(taxonomy.labels) for one in course.train[file.file]]
    labelled = [_topic_labels(one) for one in lessons]
    told = [keywords(one.labels).topics for one in lessons]
    fitted = fit(taxonomy, labelled, gather(taxonomy, labelled, encoder.embed, told), encoder.digest)
    kept = with_thresholds(fitted.taxonomy, {topic.name: topic.threshold for topic in taxonomy.topics})
    topic_folder.save(replace(fitted, taxonomy=kept), DEFAULT.read_text(encoding="utf-8"), folder)


def _topic_labels(lesson: Lesson) -> TopicLabelled:
    return TopicLabelled(Verbatim(lesson.labels.text, lesson.labels.question), lesson.labels.topics or frozenset())


def _figures(network: Network, encoder: Encoder, course: Course, batches: Batches) -> dict[str, float]:
    """What is measured on the dev texts with a sentiment: how often int8 gives the label that float32 gives."""
    lessons = [one for found in course.dev.values() for one in found if one.labels.sentiment]
    if not lessons:
        return {}
    said = _read(encoder, lessons)
    labels = np.empty(len(lessons), dtype=int)
    with torch.inference_mode():
        for places, batch in batches.plain(lessons):
            pooled = network.pool(batch.input_ids, batch.token_type_ids, batch.attention_mask, batch.segments)
            labels[places] = network.heads(pooled[:, 0])["sentiment"].argmax(-1).numpy()
    return {"agreement_with_float32": round(float((said.sentiment.argmax(axis=1) == labels).mean()), 4)}
