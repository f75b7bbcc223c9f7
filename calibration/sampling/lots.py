"""The lot of an item: a number that only its name and a seed decide, so that a draw can be repeated anywhere."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from calibration.arrays import Floats


def lots(ids: Sequence[str], *, seed: int, purpose: str) -> Floats:
    """One number from 0 to below 1 per item (shape `(n,)`), the same on every machine and in every order of the items.

    The first 53 bits of the SHA-256 of `seed:purpose:id`. Another purpose gives independent numbers.

    Source: E. Ohlsson, "Coordination of samples using permanent random numbers", in B. G. Cox et al. (editors),
    "Business Survey Methods" (1995), chapter 9.

    Raises:
        ValueError: two items share an id.

    >>> lots(["b", "a"], seed=7, purpose="example").round(3)
    array([0.88 , 0.729])
    """
    distinct(ids)
    start = hashlib.sha256(f"{seed}:{purpose}:".encode())
    digests = bytearray()
    for one in ids:
        whole = start.copy()
        whole.update(one.encode())
        digests += whole.digest()[:8]
    bits = np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def pool_digest(ids: Sequence[str]) -> str:
    """The SHA-256 of the pool: of its sorted ids as a JSON array in UTF-8, so that anybody can compute it again.

    Source: FIPS PUB 180-4, "Secure Hash Standard", NIST (2015).

    Raises:
        ValueError: two items share an id.

    >>> pool_digest(["b", "a"]) == pool_digest(["a", "b"]) == hashlib.sha256(b'["a","b"]').hexdigest()
    True
    """
    distinct(ids)
    text = json.dumps(sorted(ids), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def distinct(ids: Sequence[str]) -> None:
    """Refuse a pool in which two items share an id: such an item would be drawn with twice the chance.

    Source: W. G. Cochran, "Sampling Techniques" (1977) (a frame must list no unit twice).

    Raises:
        ValueError: an id that is no string, or two items that share one; names it.

    >>> distinct(["a", "b", "a"])
    Traceback (most recent call last):
        ...
    ValueError: every item needs an id of its own; 'a' occurs 2 times: collapse the duplicates first
    """
    others = [one for one in ids if not isinstance(one, str)]
    if others:
        raise ValueError(f"an id must be a string, not {others[0]!r}: give row numbers as '1', '2', ...")
    if len(set(ids)) == len(ids):
        return
    names, times = np.unique(np.asarray(ids, dtype=str), return_counts=True)
    twice = int(np.argmax(times > 1))
    raise ValueError(
        f"every item needs an id of its own; {str(names[twice])!r} occurs {times[twice]} times: "
        "collapse the duplicates first"
    )
