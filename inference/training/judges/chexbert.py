"""CheXbert (A. Smit et al., EMNLP 2020, arXiv:2004.09167) on its published weights, offline:

    python -m inference.training.judges.chexbert --weights FOLDER --drafts drafts.txt --references reports.txt

The folder holds `chexbert.pth` as it is published and `vocab.txt` of bert-base-uncased; `config.json` only
where the encoder is not of that size. Reports are lines of text, a report each. Printed are micro and macro
F1 of the 14 categories and of the usual five, as JSON. An uncertain label counts as negative, as in MAIRA-2's
tables (arXiv:2406.04449, appendix D.1), with `--uncertain present` as positive.
"""

import argparse
import json
import pickle
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from inference import measures
from inference.contract import Certainty
from inference.text.labels.categories import Category, Label, Labels

WEIGHTS, VOCABULARY, CONFIG = "chexbert.pth", "vocab.txt", "config.json"
CATEGORIES = (*(one for one in Category if one is not Category.NO_FINDING), Category.NO_FINDING)
"""In the order of the heads."""
FIVE = (
    Category.CARDIOMEGALY,
    Category.EDEMA,
    Category.CONSOLIDATION,
    Category.ATELECTASIS,
    Category.PLEURAL_EFFUSION,
)
STATES = (None, Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN)
"""In the order of a head's classes; None is unmentioned. The head of No Finding has the first two."""
LONGEST = 512
AT_ONCE = 32
_PREFIX = "module."
_SPACE, _BEFORE_STOP = re.compile(r"\s+"), re.compile(r"\s+(?=[.,])")


class CheXbertError(ValueError):
    """A folder that does not hold what it should; the text says what, and what to do."""


class CheXbert(nn.Module):
    """BERT with a head for each category, read at the first token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config)
        sizes = [2 if category is Category.NO_FINDING else len(STATES) for category in CATEGORIES]
        self.linear_heads = nn.ModuleList(nn.Linear(config.hidden_size, size) for size in sizes)

    def forward(self, ids: Tensor, there: Tensor) -> list[Tensor]:
        """ids, there (B, T) -> the logits of each category."""
        first = self.bert(input_ids=ids, attention_mask=there).last_hidden_state[:, 0]
        return [head(first) for head in self.linear_heads]


class Labeller:
    """Labels of reports, without sides."""

    def __init__(self, model: CheXbert, tokenizer: BertWordPieceTokenizer) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer

    @torch.inference_mode()
    def label(self, reports: Sequence[str]) -> list[Labels]:
        """One by one; a category that a report does not mention has no entry. A report longer than the
        encoder reads is cut."""
        found: list[Labels] = []
        for first in range(0, len(reports), AT_ONCE):
            ids = [self._ids(report) for report in reports[first : first + AT_ONCE]]
            longest = max(map(len, ids))
            padded = torch.tensor([one + [0] * (longest - len(one)) for one in ids])
            there = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids])
            classes = torch.stack([logits.argmax(dim=1) for logits in self.model(padded, there)], dim=1)
            found += [_labels(row) for row in classes.tolist()]
        return found

    def _ids(self, report: str) -> list[int]:
        plain = _BEFORE_STOP.sub("", _SPACE.sub(" ", report)).strip()
        ids: list[int] = self.tokenizer.encode(plain).ids
        return ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]]


def _labels(classes: Sequence[int]) -> Labels:
    pairs = zip(CATEGORIES, classes, strict=True)
    return {category: Label(state) for category, chosen in pairs if (state := STATES[chosen]) is not None}


def load(folder: Path) -> Labeller:
    """The labeller in a folder.

    Raises
    ------
    CheXbertError
        When a file is missing, can't be read, or holds other weights than CheXbert's.
    """
    for name in (WEIGHTS, VOCABULARY):
        if not (folder / name).is_file():
            raise CheXbertError(f"{folder} has no {name}: put the published file there")
    path = folder / CONFIG
    config = BertConfig.from_json_file(str(path)) if path.is_file() else BertConfig()
    tokenizer = BertWordPieceTokenizer.from_file(str(folder / VOCABULARY), lowercase=True)
    if tokenizer.get_vocab_size() != config.vocab_size:
        said = f"{tokenizer.get_vocab_size()} words, the encoder reads {config.vocab_size}"
        raise CheXbertError(f"{VOCABULARY} has {said}: it must be that of bert-base-uncased")
    model = CheXbert(config)
    missing, unexpected = model.load_state_dict(_state(folder / WEIGHTS, model), strict=False)
    left_out = [name for name in missing if not name.endswith("position_ids")]
    if left_out or unexpected:
        said = f"missing {left_out[:3]}, unexpected {unexpected[:3]}"
        raise CheXbertError(f"{WEIGHTS} does not hold CheXbert's weights: {said}")
    return Labeller(model, tokenizer)


def _state(path: Path, model: CheXbert) -> dict[str, Tensor]:
    """The weights by our names; as published they are those of a parallel wrapper."""
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
        state = read["model_state_dict"]
        named = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}
    except (OSError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError, AttributeError) as error:
        raise CheXbertError(f"{path.name} can't be read as CheXbert's checkpoint: {error}") from error
    kept = {name: tensor for name, tensor in named.items() if not name.endswith("position_ids")}
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    wrong = [name for name, tensor in kept.items() if name in shapes and tensor.shape != shapes[name]]
    if wrong:
        raise CheXbertError(f"{path.name}: {wrong[0]} is of another size; is {CONFIG} that of its encoder?")
    return kept


def f1(drafts: Iterable[Labels], references: Iterable[Labels], *, uncertain: bool) -> dict[str, float]:
    """Micro and macro F1 of the 14 categories and of five. uncertain: such labels count as positive."""
    said, true = (_positive(labels, uncertain=uncertain) for labels in (drafts, references))
    five = [CATEGORIES.index(category) for category in FIVE]
    return {
        "micro_f1_14": measures.micro_f1(said, true),
        "macro_f1_14": measures.macro_f1(said, true),
        "micro_f1_5": measures.micro_f1(said[:, five], true[:, five]),
        "macro_f1_5": measures.macro_f1(said[:, five], true[:, five]),
    }


def _positive(labels: Iterable[Labels], *, uncertain: bool) -> NDArray[np.bool_]:
    states = {Certainty.PRESENT, Certainty.UNCERTAIN} if uncertain else {Certainty.PRESENT}
    return np.array([[c in one and one[c].state in states for c in CATEGORIES] for one in labels], dtype=bool)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder")
    parser.add_argument("--drafts", type=Path, required=True, help="text, a report a line")
    parser.add_argument("--references", type=Path, required=True, help="text, a report a line")
    parser.add_argument("--uncertain", choices=("absent", "present"), default="absent")
    options = parser.parse_args(arguments)
    drafts, references = (
        path.read_text(encoding="utf-8").splitlines() for path in (options.drafts, options.references)
    )
    if len(drafts) != len(references) or not drafts:
        parser.error(
            f"{len(drafts)} drafts and {len(references)} references: as many lines in both, at least one"
        )
    labeller = load(options.weights)
    scores = f1(labeller.label(drafts), labeller.label(references), uncertain=options.uncertain == "present")
    print(json.dumps({"reports": len(drafts), "uncertain": options.uncertain, **scores}))


if __name__ == "__main__":
    main()
