"""A bundle on disk: it comes back as it was, its name is stable, and a broken one is refused for good."""

import json
import shutil

import pytest
import torch

from inference.contract import BUNDLE_CARD, BUNDLE_CONFIG, InferenceError, bundle_digest
from inference.maira_seg import checkpoint, drafter
from inference.maira_seg.model import layout_for
from inference.maira_seg.prompt import PRESENT
from tests.inference import tiny_model


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    checkpoint.save(tiny_model.bundle(), folder)
    return folder


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copytree(written, tmp_path / "bundle")


@torch.no_grad()
def test_saved_and_loaded_gives_the_same_logits(written):
    before, after = tiny_model.bundle(), checkpoint.load(written)
    pixels = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    slots = len(tiny_model.CONFIG.structures)
    masks = torch.ones(1, slots, 64, 64)
    logits = []
    for bundle in (before, after):
        layout = layout_for(bundle.model.config, bundle.processor)
        shown = bundle.model.look(bundle.model.vision(pixels), masks, torch.full((1, slots), PRESENT))
        logits.append(bundle.model(layout, shown, torch.tensor([[60, 61, 62]])))
        logits.append(bundle.segmenter.network(pixels))
    assert torch.equal(logits[0], logits[2])
    assert torch.equal(logits[1], logits[3])
    assert before.processor.encode([]) == after.processor.encode([])
    assert before.segmenter.config == after.segmenter.config


def test_the_same_weights_have_the_same_name(written, copy, tmp_path):
    again = tmp_path / "again"
    checkpoint.save(tiny_model.bundle(), again)
    (copy / BUNDLE_CARD).write_text("Better words about the same model.\n")
    assert bundle_digest(written) == bundle_digest(again) == bundle_digest(copy)


def test_other_weights_have_another_name(written, tmp_path):
    other = tmp_path / "other"
    checkpoint.save(tiny_model.bundle(seed=1), other)
    assert bundle_digest(written) != bundle_digest(other)


def test_weights_can_be_read_by_other_accounts(written):
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in written.glob("*.safetensors"))


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(InferenceError) as refused:
        drafter.load(tmp_path)
    assert (refused.value.code, refused.value.permanent) == ("no-bundle", True)


@pytest.mark.parametrize("name", [checkpoint.SEGMENTER, checkpoint.MAIRA_SEG, checkpoint.APPLICABILITY])
@pytest.mark.parametrize("damage", ["cut", "gone", "garbage"])
def test_damaged_weights_are_refused_for_good(copy, name, damage):
    path = copy / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not weights")
    refuse(copy)


def test_a_missing_tokenizer_is_refused(copy):
    (copy / checkpoint.TOKENIZER).unlink()
    refuse(copy)


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"format": 99}', '{"format": 1, "segmenter": {"colour": 1}}', "[]"]
)
def test_a_configuration_that_makes_no_sense_is_refused(copy, content):
    (copy / BUNDLE_CONFIG).write_text(content)
    refuse(copy)


def test_weights_that_do_not_fit_the_configuration_are_refused(copy):
    config = json.loads((copy / BUNDLE_CONFIG).read_text())
    config["maira_seg"]["language"]["width"] = 64
    (copy / BUNDLE_CONFIG).write_text(json.dumps(config))
    refuse(copy)


def refuse(folder) -> None:
    with pytest.raises(InferenceError) as refused:
        drafter.load(folder)
    assert (refused.value.code, refused.value.permanent) == ("bad-bundle", True)
