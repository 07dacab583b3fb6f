"""Teaching a bundle to write anew: what is new, what stays."""

from dataclasses import replace

import pytest
import torch

from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG, TOKENIZER
from inference.training import calibrate, rewrite, train_all
from tests.inference import tiny_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small bundle that writes English alone, and a preset of its size that writes two languages."""
    monkeypatch.setitem(rewrite.PRESETS, "demo", replace(tiny_model.CONFIG, structures=("heart",)))
    monkeypatch.setattr(train_all, "DENIAL_STUDIES", 1)
    monkeypatch.setattr(calibrate, "DRAFTED_SIZE", 64)
    made = tiny_model.bundle()
    english = replace(made.model.config, languages=("en",))
    made.model.config = english
    processor = tiny_model.processor()
    told = processor.tokenizer, processor.structures, processor.findings
    checkpoint.save(replace(made, processor=type(processor)(*told)), tmp_path / "bundle")
    return tmp_path


def arguments(verb, folder):
    shared = ["--studies", "12", "--batch", "2", "--steps", "1", "--processes", "1", "--threads", "1"]
    paths = ["--bundle", folder / "bundle", "--out", folder / "out", "--cache", folder / "cache"]
    return [verb, *shared, *map(str, paths)]


def test_the_bundle_writes_new_words_of_what_it_sees_as_before(folder):
    before = checkpoint.load(folder / "bundle")
    rewrite.main(arguments("train", folder))
    assert {MAIRA_SEG, TOKENIZER} <= {path.name for path in (folder / "out").iterdir()}
    assert checkpoint.load(folder / "bundle").model.config.languages == ("en",)
    rewrite.main(arguments("finish", folder))
    after = checkpoint.load(folder / "bundle")
    assert after.model.config.languages == after.processor.languages == ("en", "ja")
    assert after.about["languages"] == ["en", "ja"]
    assert after.model.config.structures == before.model.config.structures
    for name, tensor in before.model.vision.state_dict().items():
        assert torch.equal(tensor, after.model.vision.state_dict()[name]), name
    words = "model.embed_tokens.weight"
    assert not torch.equal(
        before.model.language_model.state_dict()[words], after.model.language_model.state_dict()[words]
    )
    assert after.domains.keys() == before.domains.keys()
    pixels = torch.rand(1, 1, 64, 64)
    seen = [one.segmenter.probabilities(pixels)[0] for one in (before, after)]
    assert torch.equal(*seen)
