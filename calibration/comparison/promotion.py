"""May the candidate (model, calibrator or policy) replace the incumbent? One proof that it is better, any guards."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.comparison.sample_ratio import SampleRatio
from calibration.comparison.sequential import Path
from calibration.result import Undefined

# The tests hold below it too; but so few items do not show what a week brings.
LEAST_LABELS = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a promotion and what came of it.

    `risk` is the greatest chance that a candidate no better than the incumbent passes, None for a guard. `missing` is
    about how many further labels could pass it: 0 where it passed, None where labelling more is not allowed or would
    not help as things look.
    """

    name: str
    passed: bool
    reason: str
    missing: int | None
    risk: float | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """The decision, its reasons (of the failed checks, or of the proof, with the labels missing) and every check."""

    promote: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]


def promotion(proof: Check, guards: Sequence[Check] = ()) -> Promotion:
    """Promote when the proof and every guard pass; a candidate no better than the incumbent passes with `proof.risk`.

    The proof is one of `outcome_gate.right_more_often`, `outcome_gate.right_more_often_so_far` and
    `loss_gate.loses_less`, on the one figure chosen beforehand: trying several and keeping the best would add up their
    risks (with k figures, give each alpha / k). Guards can only make the gate stricter: as many as wanted, at no cost
    in risk.

    Source: R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24 (1982)
    (intersection-union tests).

    Raises:
        ValueError: the proof is a guard.

    >>> proof = Check("right more often", passed=True, reason="better", missing=0, risk=0.05)
    >>> guard = Check("refunds", passed=False, reason="refunds: may be worse by 0.1", missing=120)
    >>> promotion(proof, [guard]).reasons
    ('refunds: may be worse by 0.1; label about 120 more',)
    """
    if proof.risk is None:
        raise ValueError(f"{proof.name} is a guard: it does not show that the candidate is better")
    checks = (proof, *guards)
    failed = tuple(_advice(check) for check in checks if not check.passed)
    return Promotion(not failed, failed or (proof.reason,), checks)


def split_holds(ratio: SampleRatio | Path | Undefined) -> Check:
    """Guard: where the outcomes come from a live split, it arrived as planned (one look, or a path of looks).

    Source: A. Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD (2019).

    >>> split_holds(SampleRatio((600, 400), (0.5, 0.5), 2.5e-10, 0.001, as_planned=False)).passed
    False
    """
    name = "split as planned"
    if isinstance(ratio, Undefined):
        return Check(name, passed=False, reason=f"{name}: {ratio.reason}", missing=None)
    held = ratio.as_planned if isinstance(ratio, SampleRatio) else ratio.first_crossing is None
    reason = name if held else "the split did not arrive as planned: no figure of it can be read"
    return Check(name, passed=held, reason=reason, missing=0 if held else None)


def _advice(check: Check) -> str:
    return f"{check.reason}; label about {check.missing} more" if check.missing else check.reason
