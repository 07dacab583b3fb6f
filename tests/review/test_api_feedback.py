from typing import Any

from django.test import Client

from review.models.audit import AuditEvent, Verb
from review.models.feedback import FeedbackDataset
from review.pipeline import datasets
from tests.review.api_case import ApiCase, assert_error, client

PATH = "/api/v1/feedback/"


class FeedbackTests(ApiCase):
    def setUp(self) -> None:
        super().setUp()
        self.nils = client(self.cast.nils)

    def request(self, who: Client | None = None, **body: str) -> Any:
        return (who or self.nils).post(PATH, {"site": "central"} | body, content_type="application/json")

    def test_it_is_asked_for_waited_for_and_taken(self) -> None:
        asked = self.request()
        assert (asked.status_code, asked.json()["status"]) == (202, "queued")
        one = f"{PATH}{asked.json()['id']}/"
        assert_error(self.nils.get(f"{one}download/"), 404, "not-found")
        datasets.run(asked.json()["id"])
        found = self.nils.get(one).json()
        assert (found["status"], found["study_count"], found["number"]) == ("ready", 0, 1)
        taken: Any = self.nils.get(f"{one}download/")
        content = b"".join(taken.streaming_content)
        assert len(content) == found["size"]
        assert content.startswith(b"PK")
        assert 'filename="feedback-central-0001.zip"' in taken["Content-Disposition"]
        assert AuditEvent.objects.filter(verb=Verb.DATASET_DOWNLOADED).count() == 1
        assert [row["id"] for row in self.nils.get(PATH).json()["results"]] == [found["id"]]

    def test_who_may_not_export_may_not(self) -> None:
        dataset = self.request().json()["id"]
        for outsider in (self.cast.ruth, self.cast.ada, self.cast.tessa, self.cast.petra, self.cast.root):
            who = client(outsider)
            assert_error(self.request(who), 403, "not-allowed")
            for path in (PATH, f"{PATH}{dataset}/", f"{PATH}{dataset}/download/"):
                assert_error(who.get(path), 403, "not-allowed")
        assert_error(client(None).get(PATH), 401, "not-authenticated")
        assert FeedbackDataset.objects.count() == 1

    def test_nonsense_and_other_sites_are_refused(self) -> None:
        for site in ("moon", "harbour", "", "a b"):
            assert "site" in assert_error(self.request(site=site), 422, "invalid-input")["errors"]
        assert_error(self.nils.get(f"{PATH}999/"), 404, "not-found")
        assert_error(self.nils.delete(PATH), 405, "method-not-allowed")
