"""heed as a spaCy component: `nlp.add_pipe("heed")` writes what a classifier reads into `doc._.heed`.

import spacy
import models.spacy_component  # registers the component

nlp = spacy.blank("en")
nlp.add_pipe("heed", config={"model": "keywords"})
print(nlp("Parcel came two weeks late and broken.")._.heed.sentiment.label)
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from spacy.language import Language
from spacy.tokens import Doc

from models.catalog import load
from models.document import describe
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

if not Doc.has_extension("heed"):
    Doc.set_extension("heed", default=None)


class HeedComponent:
    """Reads each document as one verbatim without a question, on the topics of the default taxonomy."""

    def __init__(self, model: str) -> None:
        self._classifier = load(model)

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.heed`, a `Classification`."""
        return self._read([doc])[0]

    def pipe(self, stream: Iterable[Doc], batch_size: int = 64) -> Iterator[Doc]:
        """Read a stream in batches; each document gets what it would get alone."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            yield from self._read(batch)

    def _read(self, docs: list[Doc]) -> list[Doc]:
        taxonomy = default_taxonomy()
        readings = self._classifier.read([Verbatim(doc.text) for doc in docs], taxonomy)
        for doc, reading in zip(docs, readings, strict=True):
            doc._.heed = describe(reading, self._classifier.name, taxonomy)
        return docs


@Language.factory("heed", default_config={"model": "heed-en"}, assigns=["doc._.heed"])
def component(nlp: Language, name: str, model: str) -> HeedComponent:  # noqa: ARG001 (spaCy passes all three by name)
    """The component with the classifier of that name; `nlp.to_disk` keeps the name, not the weights.

    Raises:
        UnknownClassifier: no classifier has this name.
    """
    return HeedComponent(model)
