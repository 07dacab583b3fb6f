"""What all sources have in common: pixels, views, times, priors and the split by patient."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.text.sections import Sections
from inference.training.sources import moments, split, study
from inference.training.sources.study import SourceImage, SourceStudy, View
from tests.inference import radiographs


def test_pixels_are_those_the_application_shows(tmp_path: Path) -> None:
    """A ramp through a window as wide as itself is that ramp (C.11.2.1.2.1: LINEAR)."""
    ramp = np.tile(np.arange(256, dtype=np.uint8), (160, 1))
    dataset = radiographs.radiograph(ramp, WindowCenter=128, WindowWidth=256)
    path = radiographs.save(dataset, tmp_path / "image.dcm")
    seen = study.pixels(SourceImage("1.2.3", path, View.PA))
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, ramp / 255, atol=1e-4)
    Image.fromarray(ramp).save(tmp_path / "image.png")
    gray = study.pixels(SourceImage("x", tmp_path / "image.png", View.UNKNOWN))
    assert gray.shape == (160, 256)
    assert (gray.min(), gray.max()) == (0, 1)


def a_study(name: str, day: str = "", clock: str = "", view: View = View.PA) -> SourceStudy:
    image = SourceImage(name, Path(name), view)
    return SourceStudy("p", name, "", moments.date(day), moments.time(clock), (image,), Sections(), "en")


def priors(*studies: SourceStudy) -> dict[str, tuple[str, ...]]:
    return {one.study: one.priors for one in study.with_priors(studies)}


def test_priors_are_earlier_frontal_studies_the_latest_first() -> None:
    assert priors(
        a_study("d", "20250103"),
        a_study("a", "20250101"),
        a_study("c", "20250102", view=View.LATERAL),
        a_study("b", "20250102", "1200"),
    ) == {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "a")}


def test_on_one_day_only_a_known_earlier_time_makes_a_prior() -> None:
    assert priors(
        a_study("a", "20250101", "0800"),
        a_study("b", "20250101", "0800"),
        a_study("c", "20250101", "0801"),
        a_study("d", "20250101"),
        a_study("e"),
    ) == {"a": (), "b": (), "c": ("b", "a"), "d": (), "e": ()}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "20250101", "20250102", "20250103"]), st.sampled_from(["", "08", "09"])
        ),
        max_size=8,
    )
)
def test_a_prior_is_always_earlier_and_a_missing_one_never_was(times: list[tuple[str, str]]) -> None:
    made = {str(i): a_study(str(i), day, clock) for i, (day, clock) in enumerate(times)}
    found = priors(*made.values())
    assert found.keys() == made.keys()
    for name, ids in found.items():
        day, clock = times[int(name)]
        earlier = {
            str(i)
            for i, (other, then) in enumerate(times)
            if day and other and (other < day or (other == day and clock and then and then < clock))
        }
        assert set(ids) <= earlier
        assert len(ids) == min(len(earlier), study.PRIORS)


def test_many_studies_under_one_placeholder_id_take_no_quadratic_time() -> None:
    """20,000 of one day: comparing each with each would be 400 million comparisons."""
    found = priors(*(a_study(str(i), "20250101") for i in range(20_000)))
    assert set(found.values()) == {()}


@pytest.mark.parametrize(
    ("stated", "view", "position"),
    [
        ("PA", View.PA, "PA"),
        (" ap ", View.AP, "AP"),
        ("LL", View.LEFT_LATERAL, "LL"),
        ("LATERAL", View.LATERAL, ""),
        ("AP AXIAL", View.OTHER, ""),
        ("LAO", View.OTHER, ""),
        ("", View.UNKNOWN, ""),
    ],
)
def test_views_are_named_and_what_the_model_has_no_word_for_is_unknown_to_it(
    stated: str, view: View, position: str
) -> None:
    assert study.view_named(stated) == view
    assert view.position == position


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("20250401", "2025-04-01T00:00:00+00:00"),
        ("202504011030", "2025-04-01T10:30:00+00:00"),
        ("20250401103015.123+0900", "2025-04-01T10:30:15+09:00"),
        ("2025-04-01T10:30:15Z", "2025-04-01T10:30:15+00:00"),
        ("2025/04/01 10:30", "2025-04-01T10:30:00+00:00"),
        ("20251301", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_moments_of_hl7_and_iso(text: str, iso: str | None) -> None:
    found = moments.moment(text)
    assert (found.isoformat() if found else None) == iso


@pytest.mark.parametrize("text", ["25:00", "1", "12.5.", "99999999", "二十"])
def test_impossible_dates_and_times_are_none(text: str) -> None:
    assert (moments.time(text), moments.date(text)) == (None, None)


def test_the_split_is_by_patient_and_near_its_shares() -> None:
    """Of 4,000 patients 400 are expected in each part, with a standard deviation of 19."""
    parts = [split.of(SourceStudy(str(i), "1", "", None, None, (), Sections(), "en")) for i in range(4000)]
    assert 300 < parts.count("test") < 500
    assert 300 < parts.count("validate") < 500
    again = split.of(SourceStudy("7", "2", "", None, None, (), Sections(), "ja"))
    assert again == parts[7]
    with pytest.raises(ValueError, match="shares"):
        split.of(SourceStudy("7", "2", "", None, None, (), Sections(), "en"), test=0.9, validate=0.2)
