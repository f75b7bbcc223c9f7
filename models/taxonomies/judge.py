"""Which topics a text has: by what labels taught where they were enough, else by descriptions and keywords."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.prediction import Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.taxonomies.topic_head import TopicHead
from models.taxonomies.zero_shot import Embed, Floats, Scale, ZeroShot, zero_shot


@dataclass(frozen=True, eq=False)
class Judge:
    """`taxonomy` carries the thresholds that go with its log-odds."""

    taxonomy: Taxonomy
    untaught: ZeroShot
    head: TopicHead | None = None

    def read(self, verbatim: Verbatim, vector: Floats, keywords: Mapping[str, float]) -> Mapping[str, float]:
        """The log-odds of every topic, in the taxonomy's order.

        `vector` (d,) is the encoder's for the text with its question, `keywords` the probabilities that
        `models.beliefs.topic_probabilities` gives each topic.
        """
        told = self.untaught.read(vector, keywords)
        return {**told, **self.head.read(verbatim, vector, told)} if self.head else told


def judge(topics: Taxonomy | TopicHead, embed: Embed) -> Judge:
    """The judge of a taxonomy as it is written, which is embedded, or of one that was fitted to labels."""
    if isinstance(topics, TopicHead):
        untaught = ZeroShot(tuple(topics.taxonomy.labels), topics.directions, Scale())
        return Judge(topics.taxonomy, untaught, topics)
    return Judge(topics, zero_shot(topics, embed))
