from typing import Any
from unittest import mock
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from review.api import arrivals
from review.models.audit import AuditEvent, Verb
from review.models.studies import Arrival
from tests.review.api_case import ApiCase, assert_error, client

PATH = "/api/v1/arrivals/"


class ArrivalTests(ApiCase):
    def setUp(self) -> None:
        super().setUp()
        self.tessa = client(self.cast.tessa)

    def post(self, who: Client | None = None, **changes: object) -> Any:
        files = [SimpleUploadedFile("a.dcm", b"one"), SimpleUploadedFile("b.dcm", b"two")]
        return (who or self.tessa).post(PATH, {"site": "central", "file": files} | changes)

    def test_each_file_gets_an_arrival_of_one_batch(self) -> None:
        response = self.post()
        assert response.status_code == 201, response.content
        rows = response.json()["results"]
        assert [row["filename"] for row in rows] == ["a.dcm", "b.dcm"]
        assert {row["status"] for row in rows} == {"queued"}
        assert len({UUID(row["batch"]) for row in rows}) == 1
        assert set(Arrival.objects.values_list("origin", flat=True)) == {Arrival.Origin.API}
        assert AuditEvent.objects.filter(verb=Verb.FILE_RECEIVED, actor_id=self.cast.tessa.pk).count() == 2

    def test_a_batch_can_go_on_and_be_asked_for(self) -> None:
        batch = str(uuid4())
        self.post(batch=batch)
        self.post(batch=batch)
        self.post()
        assert len(self.tessa.get(PATH, {"batch": batch}).json()["results"]) == 4
        assert len(self.tessa.get(PATH).json()["results"]) == 6

    def test_pages_follow_each_other(self) -> None:
        self.enterContext(mock.patch.object(arrivals, "PAGE_SIZE", 1))
        self.post()
        first = self.tessa.get(PATH).json()
        second = self.tessa.get(PATH, {"before": first["next_before"]}).json()
        assert [row["filename"] for row in first["results"] + second["results"]] == ["b.dcm", "a.dcm"]
        assert second["next_before"] is None

    def test_an_empty_file_is_refused_with_a_reason_and_not_lost(self) -> None:
        row = self.post(file=SimpleUploadedFile("empty.dcm", b"")).json()["results"][0]
        assert (row["status"], row["reason_code"]) == ("refused", "empty-file")

    def test_nonsense_is_refused_by_field(self) -> None:
        for changes, field in (
            ({"site": "moon"}, "site"),
            ({"site": "harbour"}, "site"),
            ({"file": []}, "file"),
            ({"file": "text"}, "file"),
            ({"batch": "x"}, "batch"),
        ):
            assert field in assert_error(self.post(**changes), 422, "invalid-input")["errors"], changes
        assert Arrival.objects.count() == 0
        assert_error(self.tessa.get(PATH, {"batch": "x"}), 422, "invalid-input")
        sent = self.tessa.post(PATH, "{}", content_type="application/json")
        assert_error(sent, 415, "unsupported-media-type")

    def test_who_may_not_import_may_not(self) -> None:
        for outsider in (self.cast.ada, self.cast.tomo, self.cast.root):
            assert_error(self.post(client(outsider)), 403, "not-allowed")
            assert_error(client(outsider).get(PATH), 403, "not-allowed")
        assert_error(self.post(client(self.cast.petra)), 422, "invalid-input")
        assert_error(self.post(client(None)), 401, "not-authenticated")
        assert_error(self.tessa.delete(PATH), 405, "method-not-allowed")
        assert Arrival.objects.count() == 0

    def test_strangers_see_none(self) -> None:
        self.post()
        assert client(self.cast.petra).get(PATH).json()["results"] == []
