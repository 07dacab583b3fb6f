"""How sure the model is of a sentence, and how often such a sentence is right.

What the model gives is the probability of side and certainty, once it speaks of a finding. Which finding it
speaks of next is left out: that is a choice among true things, and says little of any of them. A claim made
again takes the probability it had when it was first made, before the model had read itself. On held-out
phantoms both part right from wrong better than the probability of all codes does.

Platt scaling makes a share of right sentences of it: a logistic curve over its logit, fitted on sentences
that are known to be right or wrong, with Platt's smoothed targets (J. Platt, Probabilistic outputs for
support vector machines, 1999). Statements and denials have a curve each.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.contract import Certainty
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.record import overlap

CODES = (1, 2, 3)
"""Places in a sentence's ids, after its section, of finding, side and certainty."""
_LEAST = 1e-6


@dataclass(frozen=True)
class Curve:
    """Probability of the claim -> probability that the sentence is right."""

    slope: float
    offset: float

    def at(self, probability: float) -> float:
        """Both in 0..1."""
        logit = torch.logit(torch.tensor(probability, dtype=torch.float64), eps=_LEAST)
        return float(torch.sigmoid(self.slope * logit + self.offset))


@dataclass(frozen=True)
class Confidence:
    """The curves of a bundle."""

    stated: Curve
    denied: Curve

    def of(self, finding: str, certainty: Certainty, probability: float) -> float | None:
        """The confidence of a sentence; None for one without a finding, which nothing can be held against."""
        if not finding:
            return None
        return (self.denied if certainty == Certainty.ABSENT else self.stated).at(probability)

    def to_dict(self) -> dict[str, dict[str, float]]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, dict[str, float]]) -> "Confidence":
        return cls(Curve(**values["stated"]), Curve(**values["denied"]))


RAW = Confidence(Curve(1.0, 0.0), Curve(1.0, 0.0))
"""The probability of the claim as it is."""


def code_log_probabilities(logits: Tensor, report: Tensor, spans: Sequence[range]) -> Tensor:
    """logits (B, R, vocabulary) for the ids of a report (R,) -> (B, K, 3): the log-probability of finding,
    side and certainty of each of its K sentences, each given all that came before."""
    starts = torch.tensor([span.start for span in spans], dtype=torch.long, device=report.device)
    places = starts[:, None] + torch.tensor(CODES, device=report.device)
    told = logits[:, places].log_softmax(dim=-1)
    chosen = report[places].expand(len(logits), *places.shape)
    return told.gather(-1, chosen[..., None])[..., 0]


def claims(written: Sequence[CodedSentence], codes: Tensor) -> dict[CodedSentence, float]:
    """The sentences of a draft, each once, and the probability of what each claims; codes (K, 3) as above.

    A sentence that states (or denies) again what one before it stated (denied) of that place has the
    probability of the first.
    """
    told: dict[CodedSentence, float] = {}
    for sentence, probability in zip(written, codes[:, 1:].sum(dim=-1).exp().tolist(), strict=True):
        first = next((value for other, value in told.items() if _is_same_claim(sentence, other)), probability)
        told.setdefault(sentence, first)
    return told


def _is_same_claim(one: CodedSentence, other: CodedSentence) -> bool:
    denied = (one.certainty == Certainty.ABSENT, other.certainty == Certainty.ABSENT)
    return one.finding == other.finding and denied[0] == denied[1] and overlap(one.side, other.side)


def fit_curve(probabilities: Sequence[float], right: Sequence[bool]) -> Curve:
    """Platt scaling of the claims' probabilities of sentences that were right or wrong.

    Raises
    ------
    ValueError
        Without a sentence to fit on.
    """
    if not probabilities:
        raise ValueError("no sentence of this kind was written: draft more studies")
    logits = torch.logit(torch.tensor(probabilities, dtype=torch.float64), eps=_LEAST)
    good = torch.tensor(right, dtype=torch.bool)
    hits, misses = int(good.sum()), int((~good).sum())
    wanted = torch.where(good, (hits + 1) / (hits + 2), 1 / (misses + 2)).double()
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([line], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(line[0] * logits + line[1], wanted)
        loss.backward()
        return loss

    optimiser.step(closure)
    slope, offset = line.tolist()
    return Curve(round(slope, 6), round(offset, 6))
