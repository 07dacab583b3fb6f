"""The labels of a sentence, and of a report: which of the 14 categories are present, absent or uncertain.

Rules and tables alone, made here: no model, no network, and never CheXbert. docs/labels.md says what the
labels mean.
"""

from collections.abc import Callable, Iterable, Mapping

from inference.text.labels import scope_en, scope_ja
from inference.text.labels.categories import Labels, Mention, merge

_READERS: Mapping[str, Callable[[str], list[Mention]]] = {"en": scope_en.mentions, "ja": scope_ja.mentions}
LANGUAGES = tuple(_READERS)
LONGEST = 2_000
"""Characters of a sentence."""


def label(text: str, language: str) -> Labels:
    """The labels of one sentence, read alone.

    A category the sentence does not mention has no entry.

    Raises
    ------
    ValueError
        When there are no rules for the language.
    """
    return merge(_mentions(text, language))


def label_report(sentences: Iterable[str], language: str) -> Labels:
    """The labels of a report by its sentences, those of the impression among the findings'.

    They are merged as those of one sentence: present beats uncertain beats absent, and No Finding stays only
    where nothing but Support Devices is present or uncertain in any sentence.

    Raises
    ------
    ValueError
        When there are no rules for the language.
    """
    return merge(mention for text in sentences for mention in _mentions(text, language))


def _mentions(text: str, language: str) -> list[Mention]:
    if language not in _READERS:
        raise ValueError(f"reports are labelled in {', '.join(LANGUAGES)}, not {language!r}")
    return [mention for piece in _pieces(text) for mention in _READERS[language](piece)]


def _pieces(text: str) -> list[str]:
    """The text, cut at spaces where it is longer than any sentence: rules compare everything in a sentence
    with everything, and a text without an end must not take for ever."""
    pieces = []
    while len(text) > LONGEST:
        end = text.rfind(" ", 1, LONGEST) + 1 or LONGEST
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]
