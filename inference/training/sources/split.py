"""Which part of a dataset a patient belongs to: by a hash, so that it never changes as an archive grows."""

import hashlib

from inference.training.sources.study import SourceStudy

TRAIN, VALIDATE, TEST = "train", "validate", "test"
"""As MIMIC-CXR names them."""


def of(study: SourceStudy, *, validate: float = 0.1, test: float = 0.1, salt: str = "") -> str:
    """The source's own split, else one by patient: the given shares in expectation, the rest to train.

    Raises
    ------
    ValueError
        When the shares are no shares.
    """
    if min(validate, test) < 0 or validate + test > 1:
        raise ValueError(f"shares must lie in 0..1 together: validate {validate}, test {test}")
    if study.split:
        return study.split
    digest = hashlib.sha256(f"{salt}\0{study.patient}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return TEST
    return VALIDATE if place < test + validate else TRAIN
