"""The numbers we report, against cases worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from inference import measures

masks = arrays.arrays(bool, (6, 5))


@given(masks, masks)
def test_dice_is_symmetric_and_bounded(one, other):
    assert measures.dice(one, other) == measures.dice(other, one)
    assert 0 <= measures.dice(one, other) <= 1


@given(masks)
def test_dice_of_a_mask_with_itself_is_one(mask):
    assert measures.dice(mask, mask) == 1


def test_dice_by_hand():
    one, other = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    one[0], other[0, :2] = True, True
    assert measures.dice(one, other) == pytest.approx(2 * 2 / 6)
    with pytest.raises(ValueError, match="shape"):
        measures.dice(one, other.T)


def test_f1_by_hand():
    said = np.array([[1, 0], [1, 0], [0, 0]], dtype=bool)
    true = np.array([[1, 0], [0, 1], [1, 0]], dtype=bool)
    assert measures.macro_f1(said, true) == pytest.approx((0.5 + 0) / 2)
    assert measures.micro_f1(said, true) == pytest.approx(2 / (2 + 1 + 2))


def test_f1_leaves_out_what_never_occurs_and_is_nothing_where_nothing_does():
    said, true = np.array([[1, 0, 0]], dtype=bool), np.array([[1, 1, 0]], dtype=bool)
    assert measures.macro_f1(said, true) == pytest.approx((1 + 0) / 2)
    nothing = np.zeros((3, 2), bool)
    assert math.isnan(measures.macro_f1(nothing, nothing))
    assert math.isnan(measures.micro_f1(nothing, nothing))


def test_the_interval_holds_the_mean_and_repeats():
    values = np.random.default_rng(0).normal(size=200).tolist()
    one, other = measures.bootstrap_mean(values), measures.bootstrap_mean(values)
    assert one == other
    assert one.low < one.mean < one.high
    assert one.n == 200
    with pytest.raises(ValueError, match="nothing"):
        measures.bootstrap_mean([])
