"""The labeller reads from the words of phantom reports what their code says.

The phrases were written before the labeller and without it. Only the coded category is compared: a sentence
may name others beside it, as "heart size is normal" stands for no cardiomegaly.
"""

from collections.abc import Iterator

import numpy as np

from inference.contract import Sentence
from inference.phantom import reports
from inference.text.labels.categories import Category
from tests.inference.test_phantom_reports import DATE, SEEN, _drawn

PLANS = 400
CLEAR_LUNGS = {Category.CONSOLIDATION: Category.LUNG_OPACITY}
"""Lungs called clear are coded as no consolidation; by the definition they deny Lung Opacity."""
SIDED_DEVICES = ("central_line", "pacemaker", "chest_drain")


def _sentences(language: str) -> Iterator[Sentence]:
    """Each wording once, with and without a prior, in findings and impression."""
    seen: set[str] = set()
    for index in range(PLANS):
        for prior_date in (None, DATE):
            coded = _drawn(index, prior_date is not None)
            rng = np.random.default_rng(index)
            _, sentences = reports.write(coded, SEEN, rng, language=language, prior_date=prior_date)
            for sentence in sentences:
                if sentence.finding and sentence.text not in seen:
                    seen.add(sentence.text)
                    yield sentence
