"""What certificates promise, and how a gate stands, in words. Pure."""

from collections.abc import Iterator
from datetime import datetime

from service.route.certificates import Certificate, Gate, day
from service.route.phrases import number


def frequency(precision: float) -> str:
    """A precision in whole texts: `of 100 such texts at least 90 are right`.

    >>> frequency(0.9), frequency(0.995)
    ('of 100 such texts at least 90 are right', 'of 1,000 such texts at least 995 are right')
    """
    of = next((size for size in (100, 1_000) if float(round(size * precision, 6)).is_integer()), 10_000)
    return f"of {of:,} such texts at least {number(int(round(of * precision, 6)))} are right"


def certificate_words(certificate: Certificate) -> str:
    """What it promises and since when: `of 100 such texts at least 90 are right (certificate of 3 Nov 2026)`."""
    return f"{frequency(certificate.promise.precision)} (certificate of {day(certificate.issued_at)})"


def standing_words(name: str, gate: Gate, at: datetime) -> Iterator[str]:
    """What a threshold promises at a moment, or why it does not any more; nothing where it never did."""
    for one in gate.certificates:
        if at < one.expires_at:
            yield f"What passes the threshold {name} where its certificate covers it: {certificate_words(one)}."
    yield from lapsed_words(name, gate, at)


def lapsed_words(name: str, gate: Gate, at: datetime) -> Iterator[str]:
    """Why people decide at a moment what a threshold once promised; nothing where nothing is amiss."""
    for hold in gate.holds:
        where = [f"the source {hold.source}"] if hold.source else []
        where += [f"the language {hold.language}"] if hold.language else []
        yield f"The threshold {name} is held{' for ' + ' and '.join(where) if where else ''}. {hold.words}"
    for one in gate.certificates:
        if at >= one.expires_at:
            said = f"The certificate of {day(one.issued_at)} for the threshold {name}"
            yield f"{said} ran out on {day(one.expires_at)}: people decide."
