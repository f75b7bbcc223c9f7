"""Source maps: what corrects the probabilities that a model gives the texts of one source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlmodel import Session, col, select

from calibration.calibrators.class_scaling import ClassScaling
from calibration.calibrators.logits import to_class_logits
from calibration.calibrators.storage import from_json
from models.prediction import SENTIMENTS, URGENCIES, Reading
from service.store.lab_tables import Calibrator

NO_CALIBRATOR = "identity@1"
CALIBRATED = ("sentiment", "urgency")  # the exclusive axes; no other is ever mapped
LABELS: Mapping[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "urgency": URGENCIES}


@dataclass(frozen=True, slots=True)
class SourceMaps:
    """A calibrator's name and, by axis, its map over the labels in `LABELS`; an axis without a map stays as it is."""

    name: str = NO_CALIBRATOR
    maps: "Mapping[str, ClassScaling]" = field(default_factory=dict)

    def apply(self, reading: Reading) -> Reading:
        """A verbatim's reading with its probabilities of sentiment and urgency corrected; all else as it was."""
        if not self.maps:
            return reading
        return replace(
            reading,
            sentiment=self.corrected("sentiment", reading.sentiment),
            urgency=self.corrected("urgency", reading.urgency),
        )

    def corrected(self, axis: str, probabilities: Mapping[str, float]) -> Mapping[str, float]:
        """The probabilities of one axis, by label, as this calibrator corrects them."""
        fitted = self.maps.get(axis)
        if fitted is None:
            return probabilities
        labels = LABELS[axis]
        (row,) = fitted.apply(to_class_logits([[probabilities[label] for label in labels]])).tolist()
        return dict(zip(labels, row, strict=True))


NONE = SourceMaps()


@dataclass(frozen=True, slots=True)
class Calibrators:
    """By source, what corrects its probabilities; a source without one stays as the model says."""

    of_source: Mapping[str, SourceMaps] = field(default_factory=dict)

    def of(self, source: str) -> SourceMaps:
        """The maps of a source: those that change nothing where it has none."""
        return self.of_source.get(source, NONE)

    def name(self, source: str) -> str:
        """What a row of this source says it was calibrated by: `store-survey@2`, or `identity@1`."""
        return self.of(source).name


def live(session: Session, classifier: str, model_digest: str) -> Calibrators:
    """The calibrators in use that were fitted on this classifier's own probabilities; of another they say nothing."""
    found = session.exec(
        select(Calibrator).where(
            col(Calibrator.state) == "live",
            col(Calibrator.classifier) == classifier,
            col(Calibrator.model_digest) == model_digest,
        )
    )
    return Calibrators({row.source: maps_of(row) for row in found})


def maps_of(row: Calibrator) -> SourceMaps:
    """A stored calibrator, whatever its state."""
    maps = {axis: from_json(json.dumps(one)) for axis, one in row.maps.items()}
    return SourceMaps(row.name, {axis: one for axis, one in maps.items() if isinstance(one, ClassScaling)})
