"""What a place of a batch holds is known from its numbers alone."""

import pytest
import torch

from inference.contract import Certainty, Side
from inference.phantom.reports import CodedFinding
from inference.training.draws import Draws, Masks
from inference.training.records import Phantoms, Truth


def population(studies: int = 8) -> Phantoms:
    """Studies of which every other one shows a large heart; their pixels are not looked at."""
    heart = CodedFinding("cardiomegaly", Side.NONE, Certainty.PRESENT, ())
    truths = tuple(Truth((heart,) if row % 2 else (), ()) for row in range(studies))
    nothing = torch.zeros(studies, 0, dtype=torch.uint8)
    return Phantoms(0, 0, nothing, nothing, truths)


def test_a_place_of_a_batch_hangs_on_seed_step_and_place_alone():
    def drawn(seed, step, place):
        draw = Draws(population(), seed, Masks.MIXED).at(step, place)
        return draw.row, draw.wording, draw.true, float(torch.rand(1, generator=draw.generator))

    draws = Draws(population(), 1, Masks.MIXED)
    draws.at(4, 4)
    assert draws.at(2, 3).wording == drawn(1, 2, 3)[1]
    places = [(seed, step, place) for seed in range(3) for step in range(3) for place in range(3)]
    assert len({drawn(*place) for place in places}) == len(places)
    assert drawn(0, 0, 0) == drawn(0, 0, 0)


@pytest.mark.parametrize(
    ("masks", "low", "high"), [("predicted", 0, 0), ("true", 400, 400), ("mixed", 70, 130)]
)
def test_the_prompt_shows_true_masks_as_often_as_asked(masks, low, high):
    draws = Draws(population(), 0, Masks(masks))
    assert low <= sum(draws.at(step, 0).true for step in range(400)) <= high


def test_normal_studies_come_up_half_as_often():
    draws = Draws(population(), 0, Masks.MIXED)
    normal = sum(draws.at(step, 0).row % 2 == 0 for step in range(600))
    assert 160 < normal < 240
