"""The form 'This routing is wrong': what somebody may call wrong, beside their own words."""

from models.prediction import DocumentClassification

LIKELY = 0.5  # from here on a text is taken to be of a type


def beliefs_said(read: DocumentClassification | None) -> list[tuple[str, str]]:
    """What heed found in the text, as the choices of somebody who says that it is wrong."""
    found = [("", "hard to say: the routing as a whole")]
    if read is None:
        return found
    types = [label for label, probability in read.type.probabilities.items() if probability >= LIKELY]
    said = [
        ("sentiment", read.sentiment.label),
        *(("topic", topic.label) for topic in read.topics),
        *(("type", label) for label in types),
        ("urgency", read.urgency.label),
    ]
    return found + [(f"{axis}:{label}", f"{axis}: {label}") for axis, label in said]
