"""Archives at the door of the application: each file is decided about, and nothing is written elsewhere."""

from pathlib import Path

from django.conf import settings
from django.test import override_settings

from review.models.states import ArrivalStatus
from review.models.studies import Arrival
from tests.inference import hostile_archives
from tests.review.test_pipeline import PipelineCase, dicom_bytes, phantom

KINDS = len(hostile_archives.MAKERS)
MANY = 6
"""Which of the makers gives tens of thousands of entries: each would be a row."""


@override_settings(ARCHIVE_MAX_BYTES=2**24)
class HostileArchiveTests(PipelineCase):
    def decided(self, content: bytes) -> list[Arrival]:
        arrivals = self.receive(content, name="disc.zip")
        assert arrivals
        for arrival in arrivals:
            is_taken = arrival.status in {
                ArrivalStatus.ACCEPTED,
                ArrivalStatus.DUPLICATE,
                ArrivalStatus.QUARANTINED,
            }
            assert is_taken or (arrival.status == ArrivalStatus.REFUSED and arrival.reason)
            assert arrival.filename.isprintable()
        self.assert_nothing_is_elsewhere()
        return arrivals

    def assert_nothing_is_elsewhere(self) -> None:
        here = Path(settings.MEDIA_ROOT)
        assert {path.name for path in here.iterdir()} <= {
            "originals",
            "derivatives",
            "made",
            "feedback",
            "health",
        }
        assert not list(here.parent.rglob("*escaped*"))
        assert not Path("/tmp/maira-escaped").exists()

    def test_every_file_of_a_broken_archive_is_taken_or_refused_with_a_reason(self) -> None:
        good = hostile_archives.readable([dicom_bytes(phantom(0)), b"a letter", dicom_bytes(phantom(1))])
        for seed in range(40):
            with self.subTest(seed=seed):
                self.decided(hostile_archives.mutate(good, seed))

    def test_an_archive_made_to_do_harm_is_refused_with_a_reason(self) -> None:
        for seed in (seed for seed in range(3 * KINDS) if seed % KINDS != MANY):
            with self.subTest(seed=seed):
                self.decided(hostile_archives.made(seed))

    def test_one_that_cannot_be_unpacked_leaves_the_others(self) -> None:
        content = hostile_archives.assembled(
            [
                hostile_archives.entry("locked.dcm", b"secret", flags=0x801),
                hostile_archives.entry("..\\..\\good.dcm", dicom_bytes(phantom())),
            ]
        )
        locked, good = self.decided(content)
        assert (locked.filename, locked.reason_code) == ("disc.zip/locked.dcm", "bad-archive")
        assert "password" in locked.reason
        assert (good.filename, good.status) == ("disc.zip/good.dcm", ArrivalStatus.ACCEPTED)
