"""Teaching a bundle to write anew: what is new, what stays."""

from dataclasses import replace

import pytest
import torch

from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG, TOKENIZER
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
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


def test_a_rewritten_model_goes_on_from_what_the_bundle_knows():
    made = tiny_model.bundle()
    config = replace(made.model.config, language=replace(made.model.config.language, vocabulary=900))
    model = MairaSeg(config)
    processor = Processor.train(
        ["Large effusion.", "心拡大を認めます。"] * 3,
        vocabulary=900,
        structures=made.processor.structures,
        findings=made.processor.findings,
        languages=("en", "ja"),
    )
    rewrite.go_on(made, model, processor)
    before, after = made.model.state_dict(), model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name not in rewrite.WORDS)
    rows, new = before[rewrite.WORDS[0]], after[rewrite.WORDS[0]]
    for token in ("<finding:pleural_effusion>", "<cite:heart>", "a"):
        assert torch.equal(new[processor.id(token)], rows[made.processor.id(token)]), token


def test_new_pieces_are_the_mean_of_what_spells_them():
    old = words(["ab"], ("en",))
    new = words(["心拡大心拡大"], ("en", "ja"))
    rows = torch.randn(old.tokenizer.get_vocab_size(), 4)
    found = rewrite.respelled(rows, old.tokenizer, new.tokenizer)
    (heart,) = new.tokenizer.encode("心拡大心拡大").ids
    spelt = [old.id(piece) for piece in new.tokenizer.id_to_token(heart)]
    assert len(spelt) == len("心拡大心拡大".encode())
    assert torch.allclose(found[heart], rows[spelt].mean(dim=0))
    assert torch.equal(found[new.id("<report:ja>")], rows[old.id("<report>")])


def test_a_model_of_other_sizes_cannot_go_on():
    made = tiny_model.bundle()
    other = replace(made.model.config, extractor_width=made.model.config.extractor_width + 8)
    with pytest.raises(ValueError, match=r"extractor.*--anew"):
        rewrite.go_on(made, MairaSeg(other), made.processor)


def words(texts, languages):
    told = {"structures": ("heart",), "findings": ("nodule",), "languages": languages}
    return Processor.train(texts, vocabulary=900, **told)
