"""The most that int8 matrices can do on this machine: one MatMulInteger of ONNX Runtime at one thread, many shapes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

SIZES = ((384, 384), (384, 1536), (1536, 384))  # of the encoder's own weights: inner size, columns
ROWS = (32, 128, 512, 1024)
_LONG = 0.15  # seconds of CPU for each shape
_UINT8, _INT8, _INT32 = 2, 3, 6  # ONNX's numbers of element types


@dataclass(frozen=True, slots=True)
class Peak:
    """Operations a CPU second (two for each multiply-add): the best of all shapes, and of those with fewest rows."""

    best: float
    fewest_rows: float


def int8_peak(rows: Sequence[int] = ROWS, sizes: Sequence[tuple[int, int]] = SIZES, seconds: float = _LONG) -> Peak:
    """Unsigned times signed bytes, one thread, each shape for so many seconds.

    The right matrix is a constant, as weights are, so that the runtime lays it out for the processor beforehand.
    """
    rates = {m: max(_rate(m, k, n, seconds) for k, n in sizes) for m in rows}
    return Peak(max(rates.values()), rates[min(rows)])


def _rate(m: int, k: int, n: int, seconds: float) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(_graph(m, k, n), options, providers=["CPUExecutionProvider"])
    feed = {"a": np.random.default_rng(0).integers(0, 255, (m, k), dtype=np.uint8)}
    session.run(None, feed)
    best, began = float("inf"), time.process_time()
    while (before := time.process_time()) - began < seconds:
        for _ in range(4):
            session.run(None, feed)
        best = min(best, (time.process_time() - before) / 4)
    return 2 * m * k * n / best


def _graph(m: int, k: int, n: int) -> bytes:
    """An ONNX model in protobuf's wire format: the package that writes such files belongs to training."""
    constant = np.random.default_rng(1).integers(-127, 127, (k, n), dtype=np.int8)
    weights: list[tuple[int, int | bytes]] = [(1, k), (1, n), (2, _INT8), (8, b"b"), (9, constant.tobytes())]
    node = [(1, b"a"), (1, b"b"), (2, b"y"), (4, b"MatMulInteger")]
    sides = [(11, _tensor(b"a", _UINT8, m, k)), (12, _tensor(b"y", _INT32, m, n))]
    graph = [(1, _message(node)), (2, b"gemm"), (5, _message(weights)), *sides]
    return _message([(1, 8), (7, _message(graph)), (8, _message([(1, b""), (2, 17)]))])


def _tensor(name: bytes, element: int, *sizes: int) -> bytes:
    shape = _message([(1, _message([(1, size)])) for size in sizes])
    return _message([(1, name), (2, _message([(1, _message([(1, element), (2, shape)]))]))])


def _message(fields: Sequence[tuple[int, int | bytes]]) -> bytes:
    return b"".join(part for number, value in fields for part in _field(number, value))


def _field(number: int, value: int | bytes) -> Iterator[bytes]:
    if isinstance(value, int):
        yield from (_varint(number << 3), _varint(value))
    else:
        yield from (_varint(number << 3 | 2), _varint(len(value)), value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
