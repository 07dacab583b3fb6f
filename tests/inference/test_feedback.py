"""The dataset format: what is written is read back, whole, checked, the same bytes each time."""

import gzip
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.feedback import reader
from inference.feedback.privacy import Identity, Pseudonyms
from inference.feedback.schema import EditClass, FeedbackError, Split, report_text
from inference.feedback.writer import Scope, Writer, Written
from inference.imaging import pixels
from tests.inference import feedback_sources as sources

SCOPE = Scope(sites=("central",), statuses=("final", "appended"))


@pytest.fixture(scope="module")
def derivatives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sources.derivatives(tmp_path_factory.mktemp("derivatives"))


def write(folder: Path, *studies) -> Written:
    with Writer(folder, names=Pseudonyms(sources.KEY), scope=SCOPE) as writer:
        for study in studies:
            writer.add(study)
    assert writer.written is not None
    return writer.written


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_study_is_read_back_whole(tmp_path: Path, derivatives: Path) -> None:
    written = write(tmp_path / "set", sources.study(derivatives))
    dataset = reader.read(written.folder)
    reader.verify(dataset)
    study = next(dataset.studies())
    assert study.final.findings.startswith("The heart is large.")
    assert study.draft is not None
    assert [one.edit for one in study.draft.sentences] == [
        EditClass.UNCHANGED,
        EditClass.EDITED,
        EditClass.REMOVED,
        EditClass.UNCHANGED,
    ]
    assert study.draft.sentences[1].final == "There is no pleural effusion."
    assert [one.edit for one in study.final.sentences] == [
        EditClass.UNCHANGED,
        EditClass.EDITED,
        EditClass.ADDED,
        EditClass.UNCHANGED,
    ]
    assert next(dataset.masks()).image == study.images[0].image
    assert dataset.manifest.counts == {
        "studies": 1,
        "images": 1,
        "masks": 1,
        "addenda": 1,
        "preferences": 1,
        "sft": 1,
    }
    assert dataset.manifest.edits == {"unchanged": 2, "edited": 1, "removed": 1, "added": 1}
    assert next(dataset.preferences()).chosen == report_text(study.final.findings, study.final.impression)
    assert written.manifest_sha256 == bytes_of(written.folder)["manifest.json"]


def test_the_image_is_the_one_first_shown(tmp_path: Path, derivatives: Path) -> None:
    dataset = reader.read(write(tmp_path / "set", sources.study(derivatives)).folder)
    record = next(dataset.studies()).images[0]
    shown = pixels.render(sources.dataset())
    assert np.array_equal(dataset.image(record), shown.table[shown.values])
    assert len(np.unique(dataset.image(record))) > 256


def test_the_same_studies_are_the_same_bytes(tmp_path: Path, derivatives: Path) -> None:
    one = write(tmp_path / "one", sources.study(derivatives))
    two = write(tmp_path / "two", sources.study(derivatives))
    assert bytes_of(one.folder) == bytes_of(two.folder)


def test_nothing_of_the_identity_is_in_any_byte(tmp_path: Path, derivatives: Path) -> None:
    folder = write(tmp_path / "set", sources.study(derivatives)).folder
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in ("YAMADA", "山田", "たろう", "P-00042", "A123456", "1.2.3", "1950", "2026-03-01", "Ruth"):
        assert secret.encode() not in everything, secret


def test_a_pair_needs_a_draft_and_words_that_differ(tmp_path: Path, derivatives: Path) -> None:
    same = sources.study(
        derivatives,
        draft=sources.draft("All is clear.", impression="Normal."),
        findings="All  is\nclear. ",
        impression="Normal.",
    )
    bare = sources.study(derivatives, study_instance_uid="1.9", draft=None)
    withheld = sources.study(derivatives, study_instance_uid="1.8", draft=sources.draft())
    dataset = reader.read(write(tmp_path / "set", same, bare, withheld).folder)
    assert list(dataset.preferences()) == []
    assert len(list(dataset.examples())) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Mr. Yamada has a cough.", "patient-name-in-text"),
        ("山田さんの胸部X線", "patient-name-in-text"),
        ("ヤマダ: see P-00042", "patient-id-in-text"),
        ("see p00042.", "patient-id-in-text"),
        ("Accession A123456", "accession-number-in-text"),
        ("Born on 2 January 1950", "birth-date-in-text"),
        ("born 1/2/1950", "birth-date-in-text"),
        ("昭和25年1月2日生まれ", "birth-date-in-text"),
        ("study 1.2.3.4.5.6.7.8", "uid-in-text"),
        ("Told to Dr Reader by phone", "staff-name-in-text"),
        ("The yamadas of this world 1950 P-000421", ""),
    ],
)
@pytest.mark.parametrize("field", ["findings", "impression", "indication"])
def test_a_text_that_names_the_patient_keeps_the_study_here(
    tmp_path: Path, derivatives: Path, text: str, reason: str, field: str
) -> None:
    written = write(tmp_path / "set", sources.study(derivatives, **{field: text}))
    assert written.left_out == ({reason: 1} if reason else {})
    assert written.studies == (0 if reason else 1)
    manifest = reader.read(written.folder).manifest
    assert manifest.left_out == written.left_out


def test_drafts_and_addenda_are_searched_too(tmp_path: Path, derivatives: Path) -> None:
    drafted = sources.study(derivatives, draft=sources.draft("Yamada again."))
    study = sources.study(derivatives)
    added = replace(study, addenda=[replace(study.addenda[0], text="Yamada called.")])
    assert write(tmp_path / "set", drafted, added).left_out == {"patient-name-in-text": 2}


def test_short_ids_and_one_letter_names_do_not_empty_a_dataset(tmp_path: Path, derivatives: Path) -> None:
    identity = Identity(names=("X^J", "森^純"), patient_id="12", accession_number="7")
    study = sources.study(derivatives, identity=identity, findings="単純X線。12 mm in rib 7.", indication="")
    assert write(tmp_path / "kept", study).studies == 1
    told = replace(study, findings="ID: 12 seen with 森さん.")
    assert write(tmp_path / "left", told).studies == 0


def test_pixels_said_to_hold_names_stay(tmp_path: Path, derivatives: Path) -> None:
    study = sources.study(derivatives)
    burned = replace(study, images=[replace(study.images[0], burned_in_annotation="YES")])
    assert write(tmp_path / "set", burned).left_out == {"burned-in-annotation": 1}


def test_a_mask_that_does_not_fit_keeps_the_study_here(tmp_path: Path, derivatives: Path) -> None:
    study = sources.study(derivatives)
    odd = replace(study, masks=[replace(sources.mask(), size=(4, 4))])
    astray = replace(study, masks=[sources.mask("9.9")])
    assert write(tmp_path / "set", odd, astray).left_out == {"mask-does-not-fit": 2}


def test_splits_are_by_patient_stable_and_about_right() -> None:
    names, again = Pseudonyms(sources.KEY), Pseudonyms(sources.KEY)
    splits = [names.split(f"p{number}") for number in range(4000)]
    assert splits == [again.split(f"p{number}") for number in range(4000)]
    assert abs(splits.count(Split.TRAIN) / 4000 - 0.8) < 0.03
    assert abs(splits.count(Split.TEST) / 4000 - 0.1) < 0.02
    assert Pseudonyms(bytes(32)).name("patient", "a") != names.name("patient", "a")


def test_intervals_of_a_patient_stay_and_times_do_not(derivatives: Path) -> None:
    names = Pseudonyms(sources.KEY)
    moved = names.shifted(sources.SIGNED_AT, "p")
    later = names.shifted(sources.SIGNED_AT.replace(hour=11), "p")
    assert moved < "2025-03-02"
    assert moved[:10] == later[:10] or moved[11:] > "22"
    assert names.shifted(sources.SIGNED_AT, "q") != moved


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path, derivatives: Path) -> None:
    def refused(written: Written) -> None:
        assert written.studies == 1
        raise OSError("no space left")

    writer = Writer(tmp_path / "set", names=Pseudonyms(sources.KEY), scope=SCOPE, announce=refused)
    with pytest.raises(OSError, match="no space"), writer:
        writer.add(sources.study(derivatives))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("full.bin", b"torn"), ("table.bin", gzip.compress(b"12", mtime=0)), ("display.json", b"{")],
    ids=["torn", "too-short", "not-json"],
)
def test_an_image_that_cannot_be_read_keeps_its_study_here(
    tmp_path: Path, derivatives: Path, name: str, content: bytes
) -> None:
    """The study's first image was written already: it does not stay behind."""
    torn = tmp_path / "torn"
    shutil.copytree(derivatives, torn)
    (torn / name).write_bytes(content)
    study = sources.study(derivatives)
    second = replace(study.images[0], sop_instance_uid="1.2.4", derivatives=torn)
    written = write(tmp_path / "set", replace(study, images=[*study.images, second]))
    assert written.left_out == {"image-unreadable": 1}
    assert list((written.folder / "images").iterdir()) == []
    reader.verify(reader.read(written.folder))


def test_a_folder_with_anything_in_it_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(FeedbackError, match="not an empty folder"):
        write(tmp_path)


def _change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: _change(folder, "studies.jsonl", "heart", "liver"), "size or hash"),
        (lambda folder: (folder / "README.md").unlink(), "is missing"),
        (lambda folder: (folder / "extra.txt").write_text("x"), "is not in manifest.json"),
        (lambda folder: _change(folder, "manifest.json", '"masks": 1', '"masks": 2'), "counts 2 masks"),
        (
            lambda folder: _change(folder, "manifest.json", '"file":"README.md"', '"file":"../x.md"'),
            "no file",
        ),
        (
            lambda folder: _change(folder, "manifest.json", '"schema_version": "1"', '"schema_version": "9"'),
            "9",
        ),
        (lambda folder: _change(folder, "manifest.json", "{", "[{"), "no JSON"),
        (lambda folder: (folder / "manifest.json").unlink(), "cannot be read"),
    ],
)
def test_a_damaged_dataset_is_refused_with_what_is_wrong(
    tmp_path: Path, derivatives: Path, damage, message: str
) -> None:
    folder = write(tmp_path / "set", sources.study(derivatives)).folder
    damage(folder)
    with pytest.raises(FeedbackError, match=message):
        reader.verify(reader.read(folder))


def test_a_line_of_another_shape_names_its_place(tmp_path: Path, derivatives: Path) -> None:
    folder = write(tmp_path / "set", sources.study(derivatives)).folder
    path = folder / "studies.jsonl"
    for change, message in (
        ({"split": "holdout"}, r"studies.jsonl:1.split is 'holdout'"),
        ({"surprise": 1}, "'surprise' is not part"),
        ({"final": []}, "studies.jsonl:1.final is no object"),
        ({"images": {}}, "is no list"),
        ({"site": 3}, "is int, not str"),
    ):
        original = path.read_text(encoding="utf-8")
        path.write_text(json.dumps(json.loads(original) | change) + "\n", encoding="utf-8")
        with pytest.raises(FeedbackError, match=message):
            list(reader.read(folder).studies())
        path.write_text(original, encoding="utf-8")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    findings=TEXT,
    impression=TEXT,
    drafted=st.lists(TEXT.filter(str.strip), max_size=4),
    seen=st.none() | st.booleans(),
)
def test_any_text_comes_back_to_the_letter(
    tmp_path_factory: pytest.TempPathFactory, derivatives: Path, findings, impression, drafted, seen
) -> None:
    study = sources.study(
        derivatives,
        identity=Identity(),
        findings=findings,
        impression=impression,
        draft=sources.draft(*drafted),
        ai_seen_first=seen,
    )
    dataset = reader.read(write(tmp_path_factory.mktemp("any") / "set", study).folder)
    reader.verify(dataset)
    back = next(dataset.studies())
    assert (back.final.findings, back.final.impression, back.ai_seen_first) == (findings, impression, seen)
    assert back.draft is not None
    assert [one.text for one in back.draft.sentences] == drafted
    for one in back.final.sentences:
        assert getattr(back.final, one.section)[one.start : one.end] == one.text
