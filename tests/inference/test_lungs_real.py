"""Lungs on radiographs, fold by fold: a patient is in one fold, measured by who never saw them."""

import argparse

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.training import lungs_real, radiographs
from inference.training.radiographs import Radiograph

PATIENTS = [f"p{number}" for number in range(11)]


@given(st.lists(st.sampled_from(PATIENTS), min_size=1))
def test_a_patient_is_in_one_fold(patients):
    folds = lungs_real.folds_of(patients)
    assert len({*zip(patients, folds, strict=True)}) == len(set(patients))
    assert set(folds) <= set(range(lungs_real.FOLDS))


def test_folds_are_even_and_the_same_in_any_order():
    folds = dict(zip(PATIENTS, lungs_real.folds_of(PATIENTS), strict=True))
    backwards = dict(zip(PATIENTS[::-1], lungs_real.folds_of(PATIENTS[::-1]), strict=True))
    assert folds == backwards
    counts = np.bincount(list(folds.values()), minlength=lungs_real.FOLDS)
    assert counts.max() - counts.min() <= 1


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    made = []
    for number in range(6):
        lungs = np.zeros((140, 150), dtype=bool)
        lungs[30:110, 20:60] = lungs[30:110, 90:130] = True
        gray = np.where(lungs, 0.2, 0.8).astype(np.float32) + rng.normal(0, 0.02, lungs.shape).astype(
            np.float32
        )
        made.append(Radiograph(f"r{number}", PATIENTS[number], False, gray, lungs))
    return made


def test_no_fold_sees_the_patients_it_is_measured_on(drawn, tmp_path, monkeypatch):
    taught, measured = [], []
    folds = lungs_real.folds_of([radiograph.patient for radiograph in drawn])
    real = radiographs.squares

    def squares(seen, size):
        taught.append({radiograph.patient for radiograph in seen})
        return real(seen, size)

    def dices(_network, unseen):
        measured.append({radiograph.patient for radiograph in unseen})
        return [float(radiograph.name[1:]) for radiograph in unseen]

    blank = torch.zeros(4, 1, 128, 128, dtype=torch.uint8), torch.zeros(4, 2, 128, 128, dtype=torch.bool)
    monkeypatch.setattr(radiographs, "squares", squares)
    monkeypatch.setattr(lungs_real, "dices", dices)
    monkeypatch.setattr(lungs_real, "phantoms", lambda _cache, _count: blank)
    monkeypatch.setattr(lungs_real, "fit", lambda *_: None)
    lungs_real.save_weights(lungs_real.build(lungs_real.CONFIG), tmp_path / lungs_real.WEIGHTS)
    options = argparse.Namespace(out=tmp_path, cache=tmp_path, studies=4, seed=0, threads=1, device="cpu")
    found = lungs_real._cross_validated(drawn, options)
    assert found == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(taught) == lungs_real.FOLDS
    for seen, unseen in zip(taught, measured, strict=True):
        assert not seen & unseen
        assert seen | unseen == {radiograph.patient for radiograph in drawn}
    assert set(folds) == set(range(lungs_real.FOLDS))
    assert lungs_real._cross_validated(drawn, options) == found
    assert len(taught) == lungs_real.FOLDS
    with pytest.raises(SystemExit, match="was taught by other radiographs"):
        lungs_real._cross_validated(drawn[:-1], options)


def test_radiographs_teach_beside_phantoms(drawn):
    torch.manual_seed(0)
    network = lungs_real.build(lungs_real.CONFIG)
    squares = radiographs.squares(drawn, lungs_real.CONFIG.image_size)
    options = argparse.Namespace(rate=1e-3, steps=2, minutes=0.0, batch=4)
    before = [parameter.clone() for parameter in network.parameters()]
    blank = torch.zeros(4, 1, 128, 128, dtype=torch.uint8), torch.zeros(4, 2, 128, 128, dtype=torch.bool)
    lungs_real.fit(network, *blank, options, torch.Generator().manual_seed(0), squares)
    assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_the_worst_radiograph_is_reported(drawn):
    options = argparse.Namespace(arm=lungs_real.CROSS_VALIDATED, minutes=3.0, steps=1, rate=1e-3)
    rows = {row["metric"]: row for row in lungs_real.rows([0.9, 0.95, 0.7, 0.96, 0.9, 0.9], drawn, options)}
    assert rows["dice_worst"]["mean"] == 0.7
    assert rows["dice"]["mean"] == pytest.approx(0.885)
    assert "--arm cross-validated" in rows["dice"]["command"]
