"""Accepting, editing and rejecting the sentences of a draft: what is kept, what is guessed, who may."""

import json
from typing import Any

from django.urls import reverse

from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft, Sentence
from review.models.judgements import Judgement
from tests.review import cast
from tests.review.test_views_reports import JSON, ReportTestCase


class JudgementTests(ReportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.draft = cast.draft(self.study)
        self.sentence = self.sentence_of(self.draft)

    def sentence_of(self, draft: Draft) -> Sentence:
        return draft.sentences.order_by("pk")[0]

    def judge(self, decision: str, reason: str | None = None, **more: Any) -> Any:
        body = {"sentence": self.sentence.pk, "decision": decision, "reason": reason, "written": ""} | more
        return self.client.post(
            self.url("report-judge"), json.dumps(body), content_type="application/json", headers=JSON
        )

    def test_each_decision_is_a_row_and_an_event(self) -> None:
        assert self.judge("accepted").json() == {"decision": "accepted", "reason": ""}
        assert self.judge("rejected", "side").json() == {"decision": "rejected", "reason": "side"}
        kept = list(Judgement.objects.order_by("pk").values_list("decision", "reason", "guessed", "reader"))
        ruth = self.people.ruth.pk
        assert kept == [("accepted", "", False, ruth), ("rejected", "side", False, ruth)]
        assert self.count(Verb.SENTENCE_JUDGED) == 2
        event = AuditEvent.objects.filter(verb=Verb.SENTENCE_JUDGED).latest("pk")
        assert self.sentence.text not in bytes(event.canonical).decode()

    def test_without_a_reason_one_is_filled_in_and_marked_as_guessed(self) -> None:
        body = self.judge("rejected").json()
        assert body["reason"] in Judgement.Reason.values
        assert Judgement.objects.get().guessed
        assert self.judge("rejected", "").json()["reason"] == ""

    def test_the_newest_decision_is_on_the_page(self) -> None:
        self.judge("rejected", "severity")
        page = self.client.get(reverse("study", args=[self.study.study_instance_uid]))
        self.assertContains(page, 'data-judged="rejected"')
        self.assertContains(page, '<option value="severity" selected>')

    def test_nothing_is_wrong_with_what_is_accepted(self) -> None:
        assert self.judge("accepted", "style").json()["reason"] == ""

    def test_nonsense_is_refused(self) -> None:
        for more in ({"sentence": 10**6}, {"decision": "maybe"}, {"reason": "mood", "decision": "rejected"}):
            answer = self.judge(**({"decision": "accepted"} | more))
            assert answer.status_code == 422, more
        assert not Judgement.objects.exists()

    def test_a_sentence_of_another_study_is_none_of_this_one(self) -> None:
        other = self.sentence_of(cast.draft(cast.study(self.people.central, number=2)))
        assert self.judge("accepted", sentence=other.pk).status_code == 422

    def test_who_may_not_write_may_not_judge(self) -> None:
        self.client.force_login(self.people.ada)
        assert self.judge("accepted").status_code == 403
        self.client.force_login(self.people.petra)
        assert self.judge("accepted").status_code == 404
