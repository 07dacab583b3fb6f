"""Lateral views: what of them is rendered, learned, stored and outlined."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.contract import Gate, ImageInput, Mask, StudyInput, ViewPosition
from inference.imaging import masks as rle
from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import LATERAL, LATERAL_DOMAIN
from inference.maira_seg.drafter import MairaSegDrafter
from inference.segmentation.model import build
from inference.segmentation.segmenter import Segmenter
from inference.segmentation.views import STRUCTURES_OF, View, view_of
from inference.structures import BY_CODE, Group
from inference.training import calibrate, datasets, lateral, records, train_segmenter
from inference.training.report import outlined, segmenter
from inference.training.report.rows import Table
from tests.inference import tiny_model

CODES = STRUCTURES_OF[View.LATERAL]


def tiny_lateral() -> Segmenter:
    torch.manual_seed(3)
    config = replace(train_segmenter.config_of(View.LATERAL), image_size=64, channels=(4, 8, 8), res_units=1)
    return Segmenter(config, build(config))


def bundle(reach=None):
    """With a segmenter of lateral views; reach: how far its domain goes, everywhere when left out."""
    domain = tiny_model.wide_domain(16)
    domain = domain if reach is None else replace(domain, reach=torch.tensor(reach, dtype=torch.float64))
    made = tiny_model.bundle()
    return replace(made, lateral=tiny_lateral(), domains={**made.domains, LATERAL_DOMAIN: domain})


@pytest.fixture(scope="module")
def tiny() -> MairaSegDrafter:
    return MairaSegDrafter(bundle(), "0" * 64)


class Told:
    """A segmenter that says of each phantom what it is told to: probabilities (N, C, S, S)."""

    def __init__(self, config, told):
        self.config, self.told = config, told

    def probabilities(self, images):
        return self.told, None

    def cut(self, probabilities):
        return probabilities >= 0.5


class TruthOf:
    """Phantoms with these masks (N, C, S, S)."""

    def __init__(self, masks):
        self.shown = masks

    def __len__(self):
        return len(self.shown)

    def images(self, rows):
        return rows

    def masks(self, rows):
        return self.shown[rows]


def test_findings_that_were_trusted_and_false_are_not_to_be_trusted():
    codes = ("heart", "nodule", "mass", "pacemaker", "consolidation_right")
    config = replace(train_segmenter.config_of(View.LATERAL), structures=codes, trust_threshold=0.8)
    count = 10
    told = torch.zeros(count, len(codes), 8, 8)
    truth = torch.zeros(count, len(codes), 8, 8, dtype=torch.bool)
    told[:, 0, :4] = told[:, 1, :4] = told[:, 2, :4] = 0.99  # all trusted
    told[: calibrate.LEAST_TRUSTED - 1, 3, :4] = 0.99
    told[:, 4, :4] = 0.51  # found, but below the threshold of trust
    truth[2:, 1, :4] = True  # 2 of 10 false: as many as may be
    truth[3:, 2, :4] = True
    truth[:, 3:, :4] = True
    found = calibrate.unproven(Told(config, told), TruthOf(truth))
    assert found == ("mass", "pacemaker", "consolidation_right"), (
        "anatomy is not asked, too few prove nothing"
    )


def test_what_is_not_proven_is_marked_untrusted(tiny):
    given = image(LEFT)
    before = {mask.structure: mask.trusted for mask in tiny.draft(study(given)).masks}
    assert any(before.values()), "something to distrust"
    made = bundle()
    config = replace(made.lateral.config, trust_threshold=0.0, unproven=("heart",))
    changed = replace(made, lateral=Segmenter(config, made.lateral.network))
    after = {m.structure: m.trusted for m in MairaSegDrafter(changed, "0" * 64).draft(study(given)).masks}
    assert after.keys() == before.keys()
    assert not after["heart"]
    assert all(trusted for code, trusted in after.items() if code != "heart")


def image(view, uid="1.1", shape=(90, 70)) -> ImageInput:
    return ImageInput(uid, np.random.default_rng(1).random(shape, dtype=np.float32), view)


def study(*images, masks=()) -> StudyInput:
    return StudyInput("1", images, human_masks=masks)


LEFT, PA = ViewPosition.LEFT_LATERAL, ViewPosition.PA


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return records.phantoms(cache, 5, 4, size=64, processes=1, view=View.LATERAL)


# What there is


def test_lateral_structures_are_some_of_the_frontal_ones_in_their_order():
    frontal = STRUCTURES_OF[View.FRONTAL]
    assert [code for code in frontal if code in CODES] == list(CODES)
    assert len(CODES) < len(frontal)
    assert {BY_CODE[code].group for code in CODES} == set(Group)


@pytest.mark.parametrize("position", ViewPosition)
def test_every_position_has_a_view(position):
    assert view_of(position) is (View.LATERAL if "lateral" in position.name.lower() else View.FRONTAL)


def test_a_lateral_population_is_rendered_from_the_side(phantoms, tmp_path):
    assert phantoms.structures == CODES
    assert phantoms.masks(torch.arange(4)).shape == (4, len(CODES), 64, 64)
    made = records.rendered(5, 2, View.LATERAL)
    assert [one.view_position for one in made.images] == [LEFT]
    seen, masks = records.square(made.images[0], 64, CODES)
    assert torch.equal((seen[0] * 255).round().to(torch.uint8), phantoms.pixels[2])
    assert torch.equal(masks, phantoms.masks(torch.tensor([2]))[0].bool())
    frontal = records.phantoms(tmp_path, 5, 1, size=64, processes=1)
    assert not torch.equal(frontal.pixels[0], phantoms.pixels[0])


def test_what_shows_findings_is_told_by_the_structures_of_the_view(phantoms):
    told = datasets.shows_findings(phantoms)
    findings = torch.tensor([BY_CODE[code].group is not Group.ANATOMY for code in CODES])
    masks = phantoms.masks(torch.arange(4))[:, findings]
    assert torch.equal(told, masks.flatten(1).any(dim=1))


# In a bundle


def test_a_bundle_keeps_its_lateral_segmenter(tmp_path):
    made = bundle()
    checkpoint.save(made, tmp_path)
    read = checkpoint.load(tmp_path)
    assert read.lateral.config == made.lateral.config
    pixels = torch.rand(1, 1, 64, 64)
    ours, theirs = (one.lateral.probabilities(pixels)[0] for one in (made, read))
    assert torch.equal(ours, theirs)


def test_a_bundle_saved_without_one_loses_the_old_file(tmp_path):
    checkpoint.save(bundle(), tmp_path)
    checkpoint.save(tiny_model.bundle(), tmp_path)
    assert not (tmp_path / LATERAL).exists()
    assert checkpoint.load(tmp_path).lateral is None


def test_training_adds_one_and_leaves_the_rest(tmp_path, monkeypatch):
    small = replace(train_segmenter.config_of(View.LATERAL), image_size=32, channels=(4, 8, 8), res_units=1)
    monkeypatch.setattr(train_segmenter, "config_of", lambda view: small)
    monkeypatch.setattr(records, "SHAPES", (64,))
    options = argparse.Namespace(
        cache=tmp_path, studies=48, held_out=24, seed=0, threads=1, processes=1, device="cpu", steps=2,
        minutes=0.0, batch=2, rate=1e-3, half_share=0.3,
    )  # fmt: skip
    before = tiny_model.bundle()
    after = lateral.with_lateral(before, options)
    assert after.lateral.config.structures == CODES
    assert len(after.lateral.config.min_area) == len(CODES)
    assert set(after.domains) == {*before.domains, LATERAL_DOMAIN}
    assert after.segmenter is before.segmenter
    assert after.model is before.model
    held_out = records.phantoms(tmp_path, 13, 24, size=32, processes=1, view=View.LATERAL)
    scores = after.domains[LATERAL_DOMAIN].score(
        after.lateral.probabilities(held_out.images(torch.arange(24)))[1]
    )
    assert (scores <= 1.0001).float().mean() > 0.9


def test_lateral_segmenters_are_trusted_nowhere_outside():
    assert train_segmenter.config_of(View.LATERAL).validated_outside == ()


# At the application's door


def test_a_lateral_view_alone_has_masks_and_no_draft(tiny):
    output = tiny.draft(study(image(LEFT)))
    assert {mask.structure for mask in output.masks} <= set(CODES)
    assert output.masks
    assert all(mask.sop_instance_uid == "1.1" and mask.size == (90, 70) for mask in output.masks)
    assert output.masks_gate.open
    assert (output.sentences, output.draft_gate.reason) == ((), "no-frontal-view")


def test_both_views_of_a_study_are_outlined_and_the_frontal_one_is_drafted(tiny):
    output = tiny.draft(study(image(PA, "1.1"), image(LEFT, "1.2")))
    alone = tiny.draft(study(image(PA, "1.1")))
    assert {mask.sop_instance_uid for mask in output.masks} == {"1.1", "1.2"}
    assert [m for m in output.masks if m.sop_instance_uid == "1.1"] == list(alone.masks)
    assert output.masks_gate == alone.masks_gate
    assert output.draft_gate == alone.draft_gate


def test_a_lateral_view_unlike_the_phantoms_gets_no_masks():
    output = MairaSegDrafter(bundle(reach=1e-6), "0" * 64).draft(study(image(LEFT)))
    assert output.masks == ()
    assert output.masks_gate == Gate(
        open=False,
        score=output.masks_gate.score,
        threshold=output.masks_gate.threshold,
        reason="outside-domain",
    )


def test_a_persons_mask_on_a_lateral_view_replaces_the_models(tiny):
    drawn = np.zeros((90, 70), dtype=bool)
    drawn[10:40, 10:40] = True
    mask = Mask("heart", "1.1", (90, 70), rle.encode(drawn))
    output = tiny.draft(study(image(LEFT), masks=(mask,)))
    assert [one.counts for one in output.masks if one.structure == "heart"] == [mask.counts]


def test_a_blank_lateral_view_is_passed_over(tiny):
    blank = ImageInput("1.2", np.zeros((90, 70), dtype=np.float32), LEFT)
    assert tiny.draft(study(blank)).masks == ()
    with_frontal = tiny.draft(study(image(PA), blank))
    assert {mask.sop_instance_uid for mask in with_frontal.masks} == {"1.1"}


# What it is worth


def test_lateral_structures_are_judged_with_the_gate_of_their_view(monkeypatch):
    monkeypatch.setattr(outlined, "SIZE", 96)
    outliner = outlined.Outliner(bundle(), "0" * 64)
    seen = list(outlined.outlined(outliner, 2, LEFT))
    for one in seen:
        assert one.masks_open
        assert not one.draft_open
        assert [structure.code for structure in one.structures] == list(CODES)
    rows = segmenter.rows(seen, Table("segmenter", "tiny", "none", "lateral"), View.LATERAL)
    assert {row["views"] for row in rows} == {"lateral"}
    told = {row["population"] for row in rows if row["metric"] == "dice"}
    assert {"lungs", "heart", "lung_right"} <= told
    assert told <= {*segmenter.populations(View.LATERAL)}
