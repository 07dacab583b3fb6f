"""The adapter of CheXbert, on a small folder of the published layout with random weights.

What a published checkpoint holds was taken from its authors' code: a dictionary with `model_state_dict`,
names that begin with `module.`, and, of older BERTs, a buffer of positions.
"""

import json

import pytest
import torch
from transformers import BertConfig, BertModel

from inference.contract import Certainty
from inference.text.labels.categories import Category, Label
from inference.training.judges import chexbert

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "no", "effusion", "heart", "large", ".", "##s", ","]
SIZES = {
    "vocab_size": len(WORDS), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24, "max_position_embeddings": 512,
}  # fmt: skip


def published(folder, *, seed=0, **changed):
    """A folder as a person would have it; `changed` overrides parts of the checkpoint."""
    torch.manual_seed(seed)
    bert = BertModel(BertConfig(**SIZES))
    state = {f"module.bert.{name}": tensor for name, tensor in bert.state_dict().items()}
    state["module.bert.embeddings.position_ids"] = torch.arange(512)[None]
    for number in range(14):
        head = torch.nn.Linear(16, 4 if number < 13 else 2)
        torch.nn.init.normal_(head.weight)
        state |= {f"module.linear_heads.{number}.{name}": t for name, t in head.state_dict().items()}
    folder.mkdir(exist_ok=True)
    torch.save({"epoch": 3, "model_state_dict": state | changed}, folder / "chexbert.pth")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "config.json").write_text(json.dumps(SIZES))
    return bert, state


def test_labels_are_what_the_heads_say_at_the_first_token(tmp_path):
    bert, state = published(tmp_path)
    text = "No  effusion .\nHeart large"
    ids = [WORDS.index(w) for w in ("[CLS]", "no", "effusion", ".", "heart", "large", "[SEP]")]
    with torch.inference_mode():
        first = bert.eval()(torch.tensor([ids])).last_hidden_state[0, 0]
    expected = {}
    names = [
        "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation",
        "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
        "Support Devices", "No Finding",
    ]  # fmt: skip
    for number, name in enumerate(names):
        weight, bias = (state[f"module.linear_heads.{number}.{part}"] for part in ("weight", "bias"))
        chosen = int((weight @ first + bias).argmax())
        state_of = (None, Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN)[chosen]
        expected |= {Category(name): Label(state_of)} if state_of else {}
    assert len({label.state for label in expected.values()}) > 1
    assert chexbert.load(tmp_path).label([text]) == [expected]


def test_a_report_has_the_same_labels_alone_and_among_others(tmp_path):
    published(tmp_path)
    labeller = chexbert.load(tmp_path)
    reports = ["No effusion.", "Heart large, no effusions.", "", "effusion " * 700]
    assert labeller.label(reports * 20) == [labeller.label([report])[0] for report in reports] * 20


def test_a_long_report_is_cut_and_still_ends(tmp_path):
    published(tmp_path)
    ids = chexbert.load(tmp_path)._ids("effusion " * 700)
    assert len(ids) == 512
    assert ids[-1] == WORDS.index("[SEP]")


@pytest.mark.parametrize("name", ["chexbert.pth", "vocab.txt"])
def test_what_is_missing_is_named(tmp_path, name):
    published(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(chexbert.CheXbertError, match=f"no {name}"):
        chexbert.load(tmp_path)


def test_other_weights_are_refused(tmp_path):
    published(tmp_path, **{"module.linear_heads.14.weight": torch.zeros(4, 16)})
    with pytest.raises(chexbert.CheXbertError, match=r"unexpected \['linear_heads.14.weight'\]"):
        chexbert.load(tmp_path)
    published(tmp_path, **{"module.linear_heads.0.weight": torch.zeros(4, 17)})
    with pytest.raises(chexbert.CheXbertError, match=r"linear_heads\.0\.weight is of another size"):
        chexbert.load(tmp_path)
    torch.save(["no", "checkpoint"], tmp_path / "chexbert.pth")
    with pytest.raises(chexbert.CheXbertError, match="can't be read"):
        chexbert.load(tmp_path)
    (tmp_path / "chexbert.pth").write_bytes(b"<html>not found</html>")
    with pytest.raises(chexbert.CheXbertError, match="can't be read"):
        chexbert.load(tmp_path)


def test_another_vocabulary_is_refused(tmp_path):
    published(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS[:-1]))
    with pytest.raises(chexbert.CheXbertError, match="11 words, the encoder reads 12"):
        chexbert.load(tmp_path)


def test_f1_by_hand():
    effusion, edema, present = Category.PLEURAL_EFFUSION, Category.EDEMA, Label(Certainty.PRESENT)
    unsure, absent = Label(Certainty.UNCERTAIN), Label(Certainty.ABSENT)
    drafts = [{effusion: present}, {edema: unsure}]
    references = [{effusion: present, edema: present}, {edema: present, effusion: absent}]
    strict = chexbert.f1(drafts, references, uncertain=False)
    assert strict["micro_f1_14"] == pytest.approx(2 * 1 / (1 + 3))
    assert strict["macro_f1_5"] == pytest.approx((1 + 0) / 2)
    loose = chexbert.f1(drafts, references, uncertain=True)
    assert loose["micro_f1_5"] == pytest.approx(2 * 2 / (2 + 3))


def test_the_command_scores_lines_of_text(tmp_path, capsys):
    published(tmp_path)
    for name in ("drafts", "references"):
        (tmp_path / name).write_text("No effusion.\nHeart large.\n")
    files = ["--drafts", str(tmp_path / "drafts"), "--references", str(tmp_path / "references")]
    chexbert.main(["--weights", str(tmp_path), *files])
    told = json.loads(capsys.readouterr().out)
    assert told["reports"] == 2
    assert told["micro_f1_14"] == 1.0
    (tmp_path / "references").write_text("One.\n")
    with pytest.raises(SystemExit):
        chexbert.main(["--weights", str(tmp_path), *files])
    assert "2 drafts and 1 references" in capsys.readouterr().err
