"""The graph that ships: the encoder and its heads, node by node in int8, laid out for ONNX Runtime's fast kernels.

Written out rather than traced, for three reasons that were measured: the word table is quantised row by row (one
scale for the whole table costs the accuracy), `Add` and `LayerNormalization` apart are five times faster than the fused
`SkipLayerNormalization` on CPUs, and what runs is what is written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]
OPSET, MICROSOFT = 18, "com.microsoft"
_EPSILON = 1e-12
WIDTH = 384  # of a token, and of each half of the vector
# Of the second half of the vector against the first. At 1 few labels of fine topics lose half a point to what the lists
# of topics taught, at .3 many labels of coarse topics gain nothing from it any more.
SUBJECT = 0.6


@dataclass(frozen=True, slots=True)
class Smoothing:
    """What each input channel of a layer's products is divided by before quantising, and its weights multiplied by.

    SmoothQuant (Xiao et al., 2023). `attend` is the product that makes queries, keys and values, `context` the one
    after attention, whose factors are folded into the values, `inner` the first of the feed-forward part.
    """

    attend: Floats
    context: Floats
    inner: Floats


@dataclass
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **settings: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], output, domain=domain, **settings))
        return output

    def product(self, x: str, name: str, weight: Floats, bias: Floats) -> str:
        """`x @ weight + bias`: a scale for each column of the weights, one for the whole of `x`, found as it runs."""
        scale = _scale(weight, axis=0)
        return self.add(
            "DynamicQuantizeMatMul",
            [
                x,
                self.constant(f"{name}.weight", np.rint(weight / scale).astype(np.int8)),
                self.constant(f"{name}.scale", scale[0]),
                self.constant(f"{name}.zero", np.zeros(weight.shape[1], np.int8)),
                self.constant(f"{name}.bias", bias),
            ],
            f"{name}.out",
            MICROSOFT,
        )

    def norm(self, x: str, name: str, weight: Floats, bias: Floats) -> str:
        return self.add(
            "LayerNormalization",
            [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)],
            f"{name}.out",
            axis=-1,
            epsilon=_EPSILON,
        )


def _scale(weight: Floats, axis: int) -> Floats:
    largest: Floats = np.abs(weight).max(axis=axis, keepdims=True)
    return np.maximum(largest, 1e-8).astype(np.float32) / np.float32(127)


def build(weights: Mapping[str, Floats], *, layers: int, heads: int, smoothing: list[Smoothing]) -> onnx.ModelProto:
    """The int8 graph of a trained network.

    Args:
        weights: the network's state by name, float32.
        layers: of the encoder.
        heads: of attention, per layer.
        smoothing: one per layer.

    Returns:
        a model with inputs `input_ids`, `token_type_ids` [1, T] int64 and `segments` [S, T] float32, and outputs
        `sentiment` [S, 3], `type` [S, 4], `urgency` [S, 2] and `vector` [S, 768] of length 1, all float32.
    """
    graph = _Graph()
    x = _embeddings(graph, weights)
    for number in range(layers):
        part = f"encoder.encoder.layer.{number}."
        own = {name.removeprefix(part): value for name, value in weights.items() if name.startswith(part)}
        x = _layer(graph, x, f"layer{number}", own, heads, smoothing[number])
    hidden = graph.add("Squeeze", [x, graph.constant("first", np.array([0]))], "hidden")
    pooled = graph.add("MatMul", ["segments", hidden], "pooled")
    for output, name in (("sentiment", "sentiment"), ("type", "types")):
        _head(graph, pooled, output, weights[f"{name}.weight"].T, weights[f"{name}.bias"])
    twice = np.repeat(weights["urgency.weight"].T, 2, axis=1)
    _head(graph, pooled, "urgency", twice, weights["urgency.bias"] - weights["cuts"])
    halves = [_half(graph, pooled, name, weights) for name in ("likeness", "subject")]
    both = graph.add("Concat", halves, "halves", axis=-1)
    shares = np.array([1.0, SUBJECT], dtype=np.float32) / np.hypot(1.0, SUBJECT)
    graph.add("Mul", [both, graph.constant("shares", np.repeat(shares, WIDTH).astype(np.float32))], "vector")
    return _model(graph)


def _head(graph: _Graph, pooled: str, output: str, weight: Floats, bias: Floats) -> str:
    parts = [graph.constant(f"{output}.weight", weight), graph.constant(f"{output}.bias", bias)]
    return graph.add("Gemm", [pooled, *parts], output)


def _half(graph: _Graph, pooled: str, name: str, weights: Mapping[str, Floats]) -> str:
    raw = _head(graph, pooled, f"{name}.raw", weights[f"{name}.weight"].T, weights[f"{name}.bias"])
    return graph.add("LpNormalization", [raw], name, axis=-1, p=2)


def _embeddings(graph: _Graph, weights: Mapping[str, Floats]) -> str:
    """Word, type and place, summed and normalised; a scale for each row of the word table."""
    prefix = "encoder.embeddings."
    table = weights[f"{prefix}word_embeddings.weight"]
    scale = _scale(table, axis=1)
    rows = graph.add("Gather", [graph.constant("words", np.rint(table / scale).astype(np.int8)), "input_ids"], "word.q")
    scales = graph.add("Gather", [graph.constant("words.scale", scale), "input_ids"], "word.scale")
    word = graph.add("Mul", [graph.add("Cast", [rows], "word.f", to=TensorProto.FLOAT), scales], "word")
    length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    zero, axis = graph.constant("zero", np.array([0])), graph.constant("axis", np.array([0]))
    places = graph.constant("places", weights[f"{prefix}position_embeddings.weight"][:256])
    place = graph.add("Slice", [places, zero, length, axis], "place")
    types = graph.constant("types", weights[f"{prefix}token_type_embeddings.weight"])
    kind = graph.add("Gather", [types, "token_type_ids"], "kind")
    summed = graph.add("Add", [graph.add("Add", [word, place], "placed"), kind], "summed")
    return graph.norm(summed, "embedded", weights[f"{prefix}LayerNorm.weight"], weights[f"{prefix}LayerNorm.bias"])


def _layer(graph: _Graph, x: str, name: str, own: Mapping[str, Floats], heads: int, smoothing: Smoothing) -> str:
    attended = _attention(graph, x, name, own, heads, smoothing)
    summed = graph.add("Add", [attended, x], f"{name}.attended")
    x = graph.norm(
        summed, f"{name}.norm1", own["attention.output.LayerNorm.weight"], own["attention.output.LayerNorm.bias"]
    )
    thin = _divided(graph, x, f"{name}.inner", smoothing.inner)
    weight = own["intermediate.dense.weight"].T * smoothing.inner[:, None]
    inner = graph.product(thin, f"{name}.inner", weight, own["intermediate.dense.bias"])
    bent = graph.add("Gelu", [inner], f"{name}.gelu", MICROSOFT)
    outer = graph.product(bent, f"{name}.outer", own["output.dense.weight"].T, own["output.dense.bias"])
    summed = graph.add("Add", [outer, x], f"{name}.summed")
    return graph.norm(summed, f"{name}.norm2", own["output.LayerNorm.weight"], own["output.LayerNorm.bias"])


def _attention(graph: _Graph, x: str, name: str, own: Mapping[str, Floats], heads: int, smoothing: Smoothing) -> str:
    weight = np.concatenate([own[f"attention.self.{part}.weight"].T for part in ("query", "key", "value")], axis=1)
    bias = np.concatenate([own[f"attention.self.{part}.bias"] for part in ("query", "key", "value")])
    width = weight.shape[0]
    weight = weight * smoothing.attend[:, None]
    weight[:, 2 * width :] /= smoothing.context
    bias = np.concatenate([bias[: 2 * width], bias[2 * width :] / smoothing.context])
    scale = _scale(weight, axis=0)
    thin = _divided(graph, x, f"{name}.attend", smoothing.attend)
    quantised, found, zero = f"{name}.quantised", f"{name}.found", f"{name}.found.zero"
    graph.nodes.append(helper.make_node("DynamicQuantizeLinear", [thin], [quantised, found, zero], quantised))
    context = graph.add(
        "QAttention",
        [
            quantised,
            graph.constant(f"{name}.attend.weight", np.rint(weight / scale).astype(np.int8)),
            graph.constant(f"{name}.attend.bias", bias),
            found,
            graph.constant(f"{name}.attend.scale", scale[0]),
            "",
            zero,
            graph.constant(f"{name}.attend.zero", np.zeros(weight.shape[1], np.int8)),
        ],
        f"{name}.context",
        MICROSOFT,
        num_heads=heads,
    )
    after = own["attention.output.dense.weight"].T * smoothing.context[:, None]
    return graph.product(context, f"{name}.output", after, own["attention.output.dense.bias"])


def _divided(graph: _Graph, x: str, name: str, factors: Floats) -> str:
    if np.all(factors == 1):
        return x
    return graph.add("Mul", [x, graph.constant(f"{name}.smooth", 1 / factors)], f"{name}.smoothed")


def _model(graph: _Graph) -> onnx.ModelProto:
    def value(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    tokens: list[str | int] = [1, "tokens"]
    inputs = [
        value("input_ids", TensorProto.INT64, tokens),
        value("token_type_ids", TensorProto.INT64, tokens),
        value("segments", TensorProto.FLOAT, ["segments", "tokens"]),
    ]
    outputs = [
        value(name, TensorProto.FLOAT, ["segments", width])
        for name, width in (("sentiment", 3), ("type", 4), ("urgency", 2), ("vector", 2 * WIDTH))
    ]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "heed", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
        producer_name="heed",
    )
    made.ir_version = 9
    return made
