"""Cards to label: texts of our own that were read, drawn into samples that are asked of people."""

import re
from collections.abc import Sequence
from itertools import count

from sites import Site

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.samples import Wanted, close, draw
from service.store.lab_tables import LabelSample
from service.store.tables import now

TEXTS = (
    "The lamp flickers, and nobody answers my letters.",
    "Thank you, the shelf was up within the hour.",
    "Where do I find the opening hours of the branch?",
    "You could print the size on the outside of the box.",
    "The invoice names a street I left years ago.",
    "Lovely bread, and the queue moved quickly.",
)
SLOT = re.compile(r'action="/review/cards/([0-9a-f-]{36})" method="post" data-keep')
_numbers = count(1)


def read_texts(site: Site, texts: Sequence[str] = TEXTS) -> str:
    """Send texts of a new source and let them be read; the source."""
    source = f"cards-{next(_numbers)}"
    site.push(
        [
            {"source": source, "external_id": f"{source}-{number}", "verbatims": [{"question": "Why?", "text": one}]}
            for number, one in enumerate((f"{one} ({source})" for one in texts), 1)
        ]
    )
    site.drain()
    return source


def ask(site: Site, source: str | None, *axes: str, overlap: float = 0) -> list[LabelSample]:
    """Samples of at most a hundred texts, those of one source or of all, one for each axis."""
    with site.database.session() as session:
        return [
            draw(
                session,
                Wanted(axis, None, 100, "audit", source, overlap=overlap),
                default_taxonomy(),
                by="ada",
                at=now(),
            )
            for axis in axes
        ]


def close_all(site: Site, samples: Sequence[LabelSample]) -> None:
    """Show nobody any more of these cards."""
    with site.database.session() as session:
        for one in samples:
            close(session, session.merge(one), now(), by="ada")
