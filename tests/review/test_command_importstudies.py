import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from review.models.states import ArrivalStatus
from review.models.studies import Arrival, Image
from tests.review.test_pipeline import PipelineCase, dicom_bytes, phantom


class ImportStudiesTests(PipelineCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def call(self, *args: str) -> str:
        out = io.StringIO()
        call_command("importstudies", *args, verbosity=0, stdout=out)
        return out.getvalue()

    def test_files_folders_and_archives_are_taken_in_and_decided_about(self) -> None:
        (self.folder / "deep" / "er").mkdir(parents=True)
        (self.folder / "deep" / "er" / "one.dcm").write_bytes(dicom_bytes(phantom(0)))
        (self.folder / "deep" / "letter.txt").write_text("Dear colleague")
        single = self.folder / "single.dcm"
        single.write_bytes(dicom_bytes(phantom(1)))
        with zipfile.ZipFile(self.folder / "disc.zip", "w") as archive:
            archive.writestr("IMAGES/2", dicom_bytes(phantom(2)))
        out = self.call(
            str(self.folder / "deep"),
            str(single),
            str(self.folder / "disc.zip"),
            "--site",
            "central",
            "--wait",
        )
        assert Image.objects.count() == 3
        lines = out.splitlines()
        assert [line.split()[0] for line in lines[:-1]] == ["accepted", "refused", "accepted", "accepted"]
        assert lines[3].split()[1] == "disc.zip/2"
        assert "letter.txt" in out
        assert "3 accepted, 1 refused" in out
        assert set(Arrival.objects.values_list("origin", flat=True)) == {Arrival.Origin.COMMAND}

    def test_the_same_again_is_here_already(self) -> None:
        path = self.folder / "one.dcm"
        path.write_bytes(dicom_bytes(phantom()))
        self.call(str(path), "--site", "central", "--wait")
        assert "1 already here" in self.call(str(path), "--site", "central", "--wait")
        assert Image.objects.count() == 1

    def test_without_wait_it_hands_in_and_leaves(self) -> None:
        path = self.folder / "one.dcm"
        path.write_bytes(dicom_bytes(phantom()))
        assert "1 received" in self.call(str(path), "--site", "central")
        assert Arrival.objects.get().status == ArrivalStatus.QUEUED

    def test_nothing_accepted_is_a_failure(self) -> None:
        path = self.folder / "letter.txt"
        path.write_text("Dear colleague")
        with pytest.raises(CommandError) as caught:
            self.call(str(path), "--site", "central", "--wait")
        assert caught.value.returncode == 1

    def test_an_empty_folder_is_a_failure(self) -> None:
        with pytest.raises(CommandError):
            self.call(str(self.folder), "--site", "central", "--wait")

    def test_a_path_that_is_not_there_and_an_unknown_site_are_named(self) -> None:
        with pytest.raises(CommandError, match=r"nowhere\.dcm is not there"):
            self.call(str(self.folder / "nowhere.dcm"), "--site", "central")
        with pytest.raises(CommandError, match=r"no site 'moon'\. Sites: central, harbour"):
            self.call(str(self.folder), "--site", "moon")

    def test_a_site_is_guessed_in_the_demo_only(self) -> None:
        path = self.folder / "one.dcm"
        path.write_bytes(dicom_bytes(phantom()))
        with override_settings(DEMO=False), pytest.raises(CommandError, match=r"central \| harbour"):
            self.call(str(path))
        self.call(str(path))
        assert Arrival.objects.get().site == self.cast.central
