"""A drafter for the seam: says what it saw, without torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference import contract
from inference.imaging import masks as rle

DIGEST = "f" * 64
calls: list[contract.StudyInput] = []
explained: list[tuple[contract.Sentence, ...]] = []
failures: list[Exception] = []


class FakeDrafter:
    digest = DIGEST

    def draft(self, study: contract.StudyInput) -> contract.DraftOutput:
        calls.append(study)
        if failures:
            raise failures.pop()
        image = study.images[0]
        bright = np.ascontiguousarray(image.grayscale > 0.5)
        rows, columns = image.grayscale.shape
        mask = contract.Mask("heart", image.sop_instance_uid, (rows, columns), rle.encode(bright), 0.8, True)
        drawn = [mask for mask in study.human_masks if mask.structure == "heart"]
        mask = drawn[-1] if drawn else mask
        sentence = contract.Sentence(
            section=contract.Section.FINDINGS,
            text=f"{len(study.images)} views, mean {image.grayscale.mean():.2f}.",
            evidence=(contract.Evidence("heart", image.sop_instance_uid, 1.0),),
        )
        gate = contract.Gate(open=True, score=0.1, threshold=1.0)
        return contract.DraftOutput((mask,), (sentence,), gate, gate, {"total": 0.1})

    def explain(
        self, study: contract.StudyInput, sentences: Sequence[contract.Sentence]
    ) -> tuple[contract.Support, ...]:
        explained.append(tuple(sentences))
        if failures:
            raise failures.pop()
        uid = study.images[0].sop_instance_uid
        return tuple(contract.Support(place, "heart", uid, 0.5) for place in range(len(sentences)))


def load(bundle: Path) -> FakeDrafter:
    return FakeDrafter()
