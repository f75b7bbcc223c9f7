"""The encoder as it serves: tokens in, beliefs and vectors of a text and its parts out; one text per run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.characters import normalise
from models.encoder.weights import Config, Weights, WeightsRefused
from models.prediction import Verbatim

# Since 1.29 the runtime tells its maker about every session, unless it is told not to before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

Floats = NDArray[np.float32]
_REFUSALS = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoModel,
    failures.NotImplemented,
    failures.RuntimeException,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens, and the code points each stands for (start inclusive, end exclusive) in the text as given."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """What one run says: row 0 of the whole, rows 1.. of the parts asked about.

    `sentiment` [S, 3] logits, `type` [S, 4] log-odds, `urgency` [S, 2] log-odds of being above low and above
    normal, `vector` [S, 768] of length 1.
    """

    sentiment: Floats
    type: Floats
    urgency: Floats
    vector: Floats


class Encoder:
    """One graph in one session, for any number of threads.

    A run takes one text: the scale of int8 activations is found per run, and a text's route must not depend on its
    neighbours. So the same text gives the same bits alone, in company, on any number of threads and after a restart;
    on another type of processor, whose kernels add in another order, the last digits may differ.
    """

    def __init__(self, weights: Weights) -> None:
        """Build the session.

        Raises:
            WeightsRefused: this version of ONNX Runtime cannot run the graph, or the tokenizer is not readable.
        """
        self.config: Config = weights.config
        self.digest = weights.digest
        self._tokenizer = _tokenizer(weights)
        self._open, self._close = (self._tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # more spin away three times the CPU
        # The graph is laid out already, and the runtime's further fusions make it slower (models/training/graph.py).
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.enable_cpu_mem_arena = False  # it keeps the largest text's memory for ever
        try:
            self._session = onnxruntime.InferenceSession(weights.model, options, providers=["CPUExecutionProvider"])
        except _REFUSALS as error:
            first = str(error).splitlines()[0][:200]
            raise WeightsRefused(
                f"model.onnx of {self.config.name} cannot be run by ONNX Runtime {onnxruntime.__version__} ({first}): "
                "fetch the folder that belongs to this version of heed."
            ) from error

    def tokens(self, text: str) -> Tokens:
        """The tokens of a text, all of them, without the marks that open and close it."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Tokens(tuple(encoded.ids), tuple(encoded.offsets))

    def question(self, question: str | None) -> tuple[int, ...]:
        """The tokens of a survey question, cut where the model no longer listens; none for no question."""
        if not question:
            return ()
        return self.tokens(question[:1_000]).ids[: self.config.question_tokens]

    def room(self, question: Sequence[int]) -> int:
        """How many tokens of a text fit into one run beside this question."""
        return self.config.tokens - 2 - (len(question) + 1 if question else 0)

    def embed(self, verbatims: Sequence[Verbatim]) -> Floats:
        """The vectors [n, 768] of texts with their questions, each of as much of its text as fits into one run."""
        return np.stack([self._vector(normalise(one.text), one.question) for one in verbatims])

    def _vector(self, text: str, question: str | None) -> Floats:
        asked = self.question(question)
        whole: Floats = self.run(self.tokens(text).ids[: self.room(asked)], asked, ()).vector[0]
        return whole

    def run(self, ids: Sequence[int], question: Sequence[int], parts: Sequence[tuple[int, int]]) -> Pass:
        """Read a text of at most `room(question)` tokens.

        Args:
            ids: its tokens; none is allowed, too.
            question: those of the survey question, or none.
            parts: ranges of tokens (start inclusive, end exclusive, not empty) to be read on their own as well.
        """
        text = [self._open, *ids, self._close]
        asked = [*question, self._close] if question else []
        size = len(text) + len(asked)
        segments = np.zeros((len(parts) + 1, size), dtype=np.float32)
        segments[0, : len(text)] = 1 / len(text)
        for row, (start, end) in enumerate(parts, 1):
            segments[row, start + 1 : end + 1] = 1 / (end - start)
        feed = {
            "input_ids": np.array([text + asked], dtype=np.int64),
            "token_type_ids": np.array([[0] * len(text) + [1] * len(asked)], dtype=np.int64),
            "segments": segments,
        }
        return Pass(*self._session.run(["sentiment", "type", "urgency", "vector"], feed))


def _tokenizer(weights: Weights) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(weights.tokenizer)
    except Exception as error:  # the library raises nothing narrower
        raise WeightsRefused(
            f"tokenizer.json of {weights.config.name} is not readable: fetch the folder again."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
