"""F1 of RadGraph annotations, with values worked out by hand from the definitions of the three levels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.training.judges import radgraph
from inference.training.judges.radgraph import LEVELS, AnnotationError, Entity

PRESENT, ABSENT, WHERE = (
    "Observation::definitely present",
    "Observation::definitely absent",
    "Anatomy::definitely present",
)


def annotated(*entities):
    """(words, label, relations...) in order; a relation is (name, number of the entity, from 1)."""
    return {
        "text": " ".join(words for words, *_ in entities),
        "entities": {
            str(number): {
                "tokens": words,
                "label": label,
                "start_ix": number,
                "end_ix": number,
                "relations": [[name, str(target)] for name, target in relations],
            }
            for number, (words, label, *relations) in enumerate(entities, 1)
        },
        "data_source": None,
        "data_split": "inference",
    }


@pytest.fixture
def files(tmp_path):
    def write(drafts, references):
        paths = tmp_path / "drafts.json", tmp_path / "references.json"
        for path, reports in zip(paths, (drafts, references), strict=True):
            path.write_text(json.dumps(reports), encoding="utf-8")
        return paths

    return write


def scored(paths):
    return radgraph.scores(*map(radgraph.read, paths))


DRAFT = annotated(("effusion", PRESENT, ("located_at", 2)), ("left", WHERE), ("pneumothorax", ABSENT))
REFERENCE = annotated(("effusion", PRESENT, ("located_at", 2)), ("right", WHERE), ("pneumothorax", ABSENT))


def test_the_three_levels_by_hand(files):
    """Entities: effusion and pneumothorax agree, left and right do not: 2 of 3 on both sides at the first two
    levels. At the third the effusion points elsewhere: 1 of 3."""
    found = scored(files({"0": DRAFT}, {"0": REFERENCE}))
    assert found == pytest.approx({"simple": 2 / 3, "partial": 2 / 3, "complete": 1 / 3})


def test_a_relation_that_is_missing_costs_from_the_second_level_on(files):
    alone = annotated(("effusion", PRESENT), ("right", WHERE), ("pneumothorax", ABSENT))
    found = scored(files({"0": alone}, {"0": REFERENCE}))
    assert found == pytest.approx({"simple": 1.0, "partial": 2 / 3, "complete": 2 / 3})


def test_an_entity_counts_once_for_each_relation_at_the_third_level(files):
    """Draft: effusion at right and at base (2), right, base. Reference: effusion at right (1), right. Shared
    are 2 of 4 and of 2: F1 4/6."""
    both = annotated(
        ("effusion", PRESENT, ("located_at", 2), ("located_at", 3)), ("right", WHERE), ("base", WHERE)
    )
    one = annotated(("effusion", PRESENT, ("located_at", 2)), ("right", WHERE))
    assert scored(files({"0": both}, {"0": one}))["complete"] == pytest.approx(4 / 6)


def test_scores_are_means_over_reports_and_nothing_scores_nothing(files):
    empty = annotated()
    found = scored(files({"a": REFERENCE, "b": empty}, {"a": REFERENCE, "b": empty}))
    assert found == pytest.approx(dict.fromkeys(LEVELS, 0.5))


entities = st.builds(
    Entity,
    words=st.sampled_from(["effusion", "Effusion", "left", "right"]),
    label=st.sampled_from([PRESENT, ABSENT, WHERE]),
    relations=st.lists(
        st.tuples(st.sampled_from(["modify", "located_at"]), st.sampled_from(["left", "right"])), max_size=2
    ).map(tuple),
)
reports = st.lists(entities, min_size=1, max_size=5).map(tuple)


@given(one=reports, other=reports, level=st.sampled_from(list(LEVELS)))
def test_f1_is_the_same_both_ways_and_whole_for_the_same_report(one, other, level):
    assert radgraph.f1(one, other, level) == radgraph.f1(other, one, level)
    assert radgraph.f1(one, one, level) == 1.0
    assert radgraph.f1(one, other, "simple") >= 0.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "must be an object of annotated reports"),
        ("{", "can't be read as JSON"),
        ('{"0": {"labeler_1": {"entities": {}}}}', "report 0 has no entities .*two people"),
        ('{"0": {"entities": {"1": {"tokens": "x"}}}}', "must have tokens, label and relations"),
        (
            '{"0": {"entities": {"1": {"tokens": "x", "label": "y", "relations": [["modify", "7"]]}}}}',
            "relations to entities of the report",
        ),
    ],
)
def test_what_is_not_annotated_is_refused_by_name(content, said, tmp_path):
    path = tmp_path / "drafts.json"
    path.write_text(content)
    with pytest.raises(AnnotationError, match=said):
        radgraph.read(path)


def test_the_command_prints_scores_and_refuses_other_reports(files, capsys):
    drafts, references = files({"0": DRAFT}, {"0": REFERENCE})
    radgraph.main(["--drafts", str(drafts), "--references", str(references)])
    assert json.loads(capsys.readouterr().out)["reports"] == 1
    drafts, references = files({"0": DRAFT}, {"1": REFERENCE})
    with pytest.raises(SystemExit):
        radgraph.main(["--drafts", str(drafts), "--references", str(references)])
    assert "annotate different reports: 0, 1" in capsys.readouterr().err
