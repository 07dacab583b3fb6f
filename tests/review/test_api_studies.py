from django.test import Client

from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft
from review.models.patients import Site
from review.models.states import JobStatus
from review.selectors import worklist
from tests.review import cast
from tests.review.api_case import ApiCase, assert_error, client


class WorklistTests(ApiCase):
    def uids(self, query: str = "", who: Client | None = None) -> list[str]:
        response = (who or self.ruth).get(f"/api/v1/studies/?{query}")
        assert response.status_code == 200, response.content
        return [row["study_instance_uid"] for row in response.json()["results"]]

    def test_it_lists_the_studies_of_ones_sites(self) -> None:
        elsewhere = cast.study(self.cast.harbour, number=2)
        for reader in (self.cast.ruth, self.cast.omar, self.cast.ada):
            assert self.uids(who=client(reader)) == [self.study.study_instance_uid]
        assert self.uids(who=client(self.cast.petra)) == [elsewhere.study_instance_uid]

    def test_it_filters_and_searches(self) -> None:
        other = cast.study(self.cast.central, number=2, name="SUZUKI^HANA")
        other.entry.priority = 1
        other.entry.save(update_fields=["priority"])
        mine, hers = self.study.study_instance_uid, other.study_instance_uid
        assert self.uids() == [hers, mine]
        assert self.uids("search=suzu") == [hers]
        assert self.uids("priority=stat") == [hers]
        assert self.uids("status=signed") == []
        assert self.uids("status=all&site=central&sort=newest&day=2026-03-01") == [hers, mine]
        assert self.uids("day=2026-03-02") == []
        assert self.uids("assignee=me") == []
        assert self.uids("site=harbour") == []

    def test_pages_follow_each_other(self) -> None:
        for number in range(2, 6):
            cast.study(self.cast.central, number=number)
        before, worklist.PAGE_SIZE = worklist.PAGE_SIZE, 2
        self.addCleanup(setattr, worklist, "PAGE_SIZE", before)
        seen: list[str] = []
        cursor = ""
        for _page in range(3):
            body = self.ruth.get("/api/v1/studies/", {"cursor": cursor}).json()
            seen += [row["study_instance_uid"] for row in body["results"]]
            cursor = body["next_cursor"]
        assert (len(seen), len(set(seen)), cursor) == (5, 5, "")

    def test_nonsense_is_refused(self) -> None:
        for query in ("status=odd", "sort=odd", "priority=9", "day=soon", "cursor=%00", "assignee=you"):
            assert_error(self.ruth.get(f"/api/v1/studies/?{query}"), 422, "invalid-input")
        assert_error(self.ruth.get("/api/v1/studies/?cursor=abc"), 422, "invalid-input")

    def test_outsiders_and_nobody(self) -> None:
        for outsider in (self.cast.nils, self.cast.tessa, self.cast.root):
            assert_error(client(outsider).get("/api/v1/studies/"), 403, "not-allowed")
        assert_error(client(None).get("/api/v1/studies/"), 401, "not-authenticated")
        assert_error(self.ruth.post("/api/v1/studies/"), 405, "method-not-allowed")

    def test_queries_do_not_grow_with_rows(self) -> None:
        for number in range(2, 8):
            cast.study(self.cast.central, number=number)
        self.uids()
        with self.assertNumQueries(4):  # token, capabilities, sites, rows
            self.uids()


class DetailTests(ApiCase):
    def test_the_ladder(self) -> None:
        self.climb("")

    def test_it_tells_the_study_and_records_the_look(self) -> None:
        body = self.ruth.get(self.path()).json()
        assert body["patient"]["name_alphabetic"] == "YAMADA^TARO"
        assert body["order"] == {
            "accession_number": "central-1",
            "indication": "Cough.",
            "priority": "routine",
            "referring_physician_name": "",
        }
        assert body["images"][0]["view_position"] == "PA"
        assert (body["site"], body["status"]) == ("central", "preparing")
        assert AuditEvent.objects.filter(verb=Verb.STUDY_OPENED, actor_id=self.cast.ruth.pk).count() == 1


class DraftTests(ApiCase):
    def test_the_ladder(self) -> None:
        cast.draft(self.study)
        self.climb("draft/")

    def test_it_tells_prose_and_evidence(self) -> None:
        draft = cast.draft(self.study)
        body = self.ruth.get(self.path("draft/")).json()
        assert (body["status"], body["stale"], body["withheld_reason"]) == ("ready", False, "")
        assert body["findings"] == "The right lung is clear."
        assert body["sentences"][0]["evidence"] == [
            {"mask": draft.masks.get().pk, "structure": "lung_right", "weight": 1.0}
        ]

    def test_it_tells_what_masks_do_to_a_sentence_once_that_is_measured(self) -> None:
        draft = cast.draft(self.study)
        before = self.ruth.get(self.path("draft/")).json()
        assert (before["explanation"], before["sentences"][0]["support"]) == (None, [])
        cast.explained(draft, {"lung_right": 1.5})
        after = self.ruth.get(self.path("draft/")).json()
        assert after["explanation"] == "ready"
        assert after["sentences"][0]["support"] == [
            {"mask": draft.masks.get().pk, "structure": "lung_right", "nats": 1.5}
        ]
        assert after["sentences"][1]["support"] == []

    def test_withheld_prose_is_not_there(self) -> None:
        cast.draft(self.study, withheld="outside-domain")
        body = self.ruth.get(self.path("draft/")).json()
        assert (body["withheld_reason"], body["findings"], body["sentences"]) == ("outside-domain", "", [])

    def test_without_a_draft_there_is_nothing(self) -> None:
        assert_error(self.ruth.get(self.path("draft/")), 404, "not-found")

    def test_a_silent_site_hides_drafts_and_masks(self) -> None:
        cast.draft(self.study)
        Site.objects.filter(pk=self.cast.central.pk).update(stage=Site.Stage.SILENT)
        assert_error(self.ruth.get(self.path("draft/")), 404, "not-found")
        assert_error(self.ruth.post(self.path("draft/")), 404, "not-found")
        assert self.ruth.get(self.path("masks/")).json() == {"draft": None, "masks": []}

    def test_a_late_change_shows_as_stale(self) -> None:
        cast.draft(self.study)
        self.study.input_digest = "b" * 64
        self.study.save(update_fields=["input_digest"])
        assert self.ruth.get(self.path("draft/")).json()["stale"] is True

    def test_asking_twice_is_one_draft(self) -> None:
        cast.model()
        first = self.ruth.post(self.path("draft/"))
        assert (first.status_code, first.json()["status"]) == (202, "queued")
        assert self.ruth.post(self.path("draft/")).json()["id"] == first.json()["id"]
        assert Draft.objects.get().status == JobStatus.QUEUED
        assert AuditEvent.objects.filter(verb=Verb.DRAFT_REQUESTED).count() == 1

    def test_who_may_not_write_may_not_ask(self) -> None:
        cast.model()
        assert_error(client(self.cast.ada).post(self.path("draft/")), 403, "not-allowed")
        assert_error(client(self.cast.petra).post(self.path("draft/")), 404, "not-found")
        assert Draft.objects.count() == 0

    def test_without_a_model_it_says_so(self) -> None:
        assert_error(self.ruth.post(self.path("draft/")), 409, "illegal-move")


class MasksTests(ApiCase):
    def test_the_ladder(self) -> None:
        self.climb("masks/")

    def test_it_tells_runs_and_meta(self) -> None:
        draft = cast.draft(self.study)
        body = self.ruth.get(self.path("masks/")).json()
        assert body["draft"] == draft.pk
        mask = body["masks"][0]
        assert mask["size"] == [cast.ROWS, cast.COLUMNS]
        assert mask["counts"] == draft.masks.get().content.counts
        assert (mask["structure"], mask["source"], mask["trusted"]) == ("lung_right", "ai", True)
        assert mask["box"] == [5, 3, 25, 9]


class AuditTests(ApiCase):
    def test_it_is_for_those_who_audit_and_looking_is_recorded(self) -> None:
        self.ruth.get(self.path())
        response = client(self.cast.ada).get(self.path("audit/"))
        events = response.json()["events"]
        assert [event["verb"] for event in events] == ["study.opened", "history.viewed"]
        assert events[0]["actor_name"] == "Dr Ruth"
        for reader in (self.cast.ruth, self.cast.tomo):
            assert_error(client(reader).get(self.path("audit/")), 403, "not-allowed")
        self.climb_outside("audit/")
        assert_error(client(self.cast.ada).post(self.path("audit/")), 405, "method-not-allowed")
