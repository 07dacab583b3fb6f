"""The labeller reads from the words of phantom reports what their code says.

The phrases were written before the labeller and without it. Only the coded category is compared: a sentence
may name others beside it, as "heart size is normal" stands for no cardiomegaly.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from inference.contract import Sentence
from inference.phantom import reports
from inference.text.labels import labeller
from inference.text.labels.categories import OF_FINDING, UNSIDED, Category
from tests.inference.test_phantom_reports import DATE, SEEN, _drawn

PLANS = 400
CLEAR_LUNGS = {Category.CONSOLIDATION: Category.LUNG_OPACITY}
"""Lungs called clear are coded as no consolidation; by the definition they deny Lung Opacity."""
TUBES = ("endotracheal_tube", "tracheostomy_tube", "nasogastric_tube")
"""Their code has the side that their tip strayed to; by the definition they have none."""


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


@pytest.mark.parametrize("language", labeller.LANGUAGES)
def test_labels_say_what_the_code_of_a_phantoms_sentence_says(language):
    wrong, sides, count = [], [], 0
    for sentence in _sentences(language):
        labels = labeller.label(sentence.text, language)
        for coded in OF_FINDING[sentence.finding]:
            category = coded if coded in labels else CLEAR_LUNGS.get(coded, coded)
            found = labels.get(category)
            count += 1
            if found is None or found.state is not sentence.certainty:
                wrong.append((sentence.text, found))
            elif category not in UNSIDED and sentence.finding not in TUBES and found.side != sentence.side:
                sides.append((sentence.text, found))
    assert count > 1000
    assert len(wrong) <= count * 0.01, wrong
    assert len(sides) <= count * 0.01, sides
