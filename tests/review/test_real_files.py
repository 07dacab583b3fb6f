"""Every real and every odd file ends as an image or as a reason a technologist understands."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import TestCase

from review.models.states import ArrivalStatus
from review.models.studies import Arrival, Image
from review.pipeline import ingest
from review.services import studies
from tests.review import cast

ENDS = {
    ArrivalStatus.ACCEPTED,
    ArrivalStatus.DUPLICATE,
    ArrivalStatus.QUARANTINED,
    ArrivalStatus.REFUSED,
}

CHEST = {
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_CR-MONO1-10-chest.dcm": "accepted",
    "pydicom-data__data_store_data_RG1_J2KI.dcm": "accepted",
    "pylibjpeg-data__ljdata_ds_JPEG2000Lossless_966_fixed.dcm": "accepted",
    "torchxrayvision__tests_1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm": "accepted",
    # The same radiograph again, its tag changed, under the same UID.
    "torchxrayvision__tests_Fake_MONOHR1.dcm": "other-content",
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_charset_chrJapMulti.dcm": "no-pixels",
    "highdicom__data_test_files_dx_image.dcm": "not-human",
    "pydicom-data__data_store_data_RG3_J2KR.dcm": "not-a-chest",
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_CR-ModalitySequenceLUT.dcm": "not-a-chest",
}


class RealFileTests(TestCase):
    @pytest.fixture(autouse=True)
    def _shared(self, shared_data: Path) -> None:
        self.shared = shared_data

    def receive(self, paths: list[Path]) -> dict[str, Arrival]:
        people = cast.make()
        arrivals = {}
        for path in paths:
            delivery = studies.Delivery(people.central, uuid4(), Arrival.Origin.COMMAND, None)
            with path.open("rb") as stream:
                (arrival,) = studies.receive(stream, path.name, delivery)
            ingest.run(arrival.pk)
            arrival.refresh_from_db()
            arrivals[path.name] = arrival
        return arrivals

    def test_every_dicom_file_ends_as_an_image_or_a_reason(self) -> None:
        arrivals = self.receive(sorted(path for path in self.shared.glob("dicom/*/*") if path.is_file()))
        assert len(arrivals) == 89
        for name, arrival in arrivals.items():
            assert arrival.status in ENDS, (name, arrival.status)
            if arrival.status in {ArrivalStatus.QUARANTINED, ArrivalStatus.REFUSED}:
                assert arrival.reason_code, name
                assert len(arrival.reason) > 20, (name, arrival.reason)
                assert "Traceback" not in arrival.reason
        found = {name: arrivals[name].reason_code or arrivals[name].status for name in CHEST}
        assert found == CHEST
        assert not [
            name for name, a in arrivals.items() if "MR" in name and a.status == ArrivalStatus.ACCEPTED
        ]

    def test_png_radiographs_are_secondary_captures(self) -> None:
        paths = sorted((self.shared / "cxr" / "images").glob("*.png"))[:3]
        arrivals = self.receive(paths)
        assert {arrival.status for arrival in arrivals.values()} == {ArrivalStatus.ACCEPTED}
        assert all(Image.objects.values_list("secondary_capture", flat=True))
