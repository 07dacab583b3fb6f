"""Few labels and starts without them: the area under the curve by hand, and runs that are not done twice."""

import argparse
import json

import numpy as np
import pytest
import torch

from inference.training import label_efficiency, train_encoder
from tests.inference import tiny_model


@pytest.mark.parametrize(
    ("told", "true", "area"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
        ([1, 2, 3], [0, 0, 1], 1.0),
        ([3, 2, 1], [0, 0, 1], 0.0),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),
    ],
)
def test_the_area_under_the_curve_by_hand(told, true, area):
    assert label_efficiency.auroc(np.array([told]).T, np.array([true]).T) == pytest.approx(area)


def test_labels_without_both_kinds_of_studies_do_not_count():
    told, true = np.array([[1.0, 9], [2, 8]]), np.array([[0, 1], [1, 1]])
    assert label_efficiency.auroc(told, true) == 1.0


def test_runs_are_reported_and_not_done_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(label_efficiency, "SHARES", (0.5, 1.0))
    options = argparse.Namespace(
        out=tmp_path / "labels", cache=tmp_path, starts=["restored", "scratch"], studies=4, test_studies=5,
        steps=1, batch=2, rate=1e-3, seed=0, device="cpu", threads=1, processes=1, minutes=0.0,
    )  # fmt: skip
    label_efficiency.carry_out(options, tiny_model.CONFIG)
    assert (options.out / "restored" / train_encoder.ENCODER).is_file()
    kept = json.loads((options.out / "scratch-0.5.json").read_text())
    assert np.array(kept["told"]).shape == np.array(kept["true"]).shape
    rows = label_efficiency.report(options.out)
    assert {(row["arm"], row["population"]) for row in rows} == {
        (start, share)
        for start in ("restored", "scratch")
        for share in ("50% of the labels", "100% of the labels")
    }
    monkeypatch.setattr(train_encoder, "fit", None)
    label_efficiency.carry_out(options, tiny_model.CONFIG)
    options.steps = 2
    with pytest.raises(SystemExit, match="holds runs of --steps 1: ask for that"):
        label_efficiency.carry_out(options, tiny_model.CONFIG)


def test_a_start_is_taken_over(tmp_path):
    torch.manual_seed(1)
    labeller = train_encoder.Labeller(tiny_model.CONFIG)
    label_efficiency.save_weights(labeller, tmp_path / train_encoder.ENCODER)
    read = train_encoder.read(tiny_model.CONFIG, tmp_path)
    assert all(
        torch.equal(one, other)
        for one, other in zip(read.state_dict().values(), labeller.vision.state_dict().values(), strict=True)
    )
