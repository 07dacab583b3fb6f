"""Fit how sure a bundle's sentences may be called: `python -m inference.training.confidence --bundle
inference/weights/demo`.

Held-out phantoms are drafted as the application does it; every sentence with a finding is right or wrong by
their truth. The fitted curves go into the bundle's config.json; no weight and no draft changes. `train_all`
does the same at its end.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inference.contract import Certainty, Sentence, Side, StudyInput
from inference.maira_seg import checkpoint, confidence
from inference.maira_seg.confidence import Confidence
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.record import overlap
from inference.phantom import study as phantom
from inference.phantom.coded import CodedFinding
from inference.training import calibrate, progress, records


@dataclass(frozen=True)
class Said:
    """One sentence with a finding: whether it states or denies, the probability of its claim, whether it is
    true."""

    stated: bool
    probability: float
    right: bool


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = replace(checkpoint.load(options.bundle), confidence=confidence.RAW)
    fitted = fit(said(MairaSegDrafter(bundle, "calibration"), calibrate.SEED_PHANTOMS, options.studies))
    checkpoint.set_confidence(options.bundle, fitted)


def said(loaded: MairaSegDrafter, seed: int, studies: int) -> list[Said]:
    """What the drafts of so many phantoms of a seed say, by a drafter whose confidence is `RAW`."""
    log = progress.Progress("confidence")
    found: list[Said] = []
    for index in range(studies):
        made = phantom.generate(seed, index, size=calibrate.DRAFTED_SIZE, with_prior=False)
        images = tuple(records.image_input(image) for image in made.images)
        output = loaded.draft(StudyInput(made.study_instance_uid, images))
        found += of_draft(output.sentences, made.findings)
        log.report(phantoms=index + 1, sentences=len(found))
    return found


def of_draft(sentences: Iterable[Sentence], findings: Sequence[CodedFinding]) -> list[Said]:
    """The sentences of one draft that have a confidence, beside the truth."""
    return [
        Said(sentence.certainty != Certainty.ABSENT, sentence.confidence, is_right(sentence, findings))
        for sentence in sentences
        if sentence.confidence is not None
    ]


def is_right(sentence: Sentence, findings: Sequence[CodedFinding]) -> bool:
    """A statement: the finding is there on every side that is named. A denial: it is on none of them."""
    there = [
        one.side for one in findings if one.finding == sentence.finding and one.certainty != Certainty.ABSENT
    ]
    if sentence.certainty == Certainty.ABSENT:
        return not any(overlap(sentence.side, side) for side in there)
    named = (Side.RIGHT, Side.LEFT) if sentence.side == Side.BILATERAL else (sentence.side,)
    return all(any(overlap(one, side) for side in there) for one in named)


def fit(found: Iterable[Said]) -> Confidence:
    """The curves of statements and of denials.

    Raises
    ------
    ValueError
        When either kind was never written.
    """
    curves = []
    for stated in (True, False):
        some = [one for one in found if one.stated == stated]
        curves.append(confidence.fit_curve([one.probability for one in some], [one.right for one in some]))
    return Confidence(*curves)


if __name__ == "__main__":
    main()
