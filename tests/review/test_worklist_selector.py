from datetime import timedelta
from unittest import mock

import pytest
from django.test import TestCase

from review import exceptions
from review.models.worklist import WorklistEntry
from review.selectors import worklist
from review.services import studies
from tests.review import cast


class WorklistTests(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.studies = [cast.study(self.cast.central, number=n) for n in range(1, 8)]
        for n, entry in enumerate(WorklistEntry.objects.order_by("study_id")):
            entry.started_at = cast.TAKEN + timedelta(minutes=n // 2)
            entry.priority = 1 + n % 3
            entry.save()

    def walk(self, sort: str, size: int) -> list[int]:
        seen: list[int] = []
        cursor = ""
        while True:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(worklist, "PAGE_SIZE", size)
                page = worklist.page(self.cast.ruth, worklist.Filters(sort=sort), cursor)
            seen += [entry.study_id for entry in page.entries]
            cursor = page.next_cursor
            if not cursor:
                return seen

    def test_paging_shows_every_row_once_in_order_for_every_sort_and_size(self) -> None:
        for sort, order in worklist.SORTS.items():
            expected = list(WorklistEntry.objects.order_by(*order.columns).values_list("study_id", flat=True))
            for size in (1, 2, 3, 50):
                assert self.walk(sort, size) == expected, (sort, size)

    def test_strangers_and_platform_administrators_see_nothing(self) -> None:
        for person in (self.cast.petra, self.cast.root, self.cast.tessa, self.cast.nils):
            assert worklist.page(person, worklist.Filters()).entries == []

    def test_search_is_by_prefix_of_name_id_and_accession_in_any_width_and_case(self) -> None:
        for text in ("yamada", "ＹＡＭＡＤＡ", "Yamada Ta", "p00001", "central-1"):
            found = worklist.page(self.cast.ruth, worklist.Filters(search=text)).entries
            assert self.studies[0].pk in [entry.study_id for entry in found], text
        assert worklist.page(self.cast.ruth, worklist.Filters(search="amada")).entries == []

    def test_filters_narrow(self) -> None:
        studies.assign(self.studies[2], by=self.cast.ruth, to=self.cast.omar, was=None)
        filters = worklist.Filters(assigned_to=self.cast.omar)
        found = worklist.page(self.cast.ruth, filters).entries
        assert [entry.study_id for entry in found] == [self.studies[2].pk]
        assert {e.priority for e in worklist.page(self.cast.ruth, worklist.Filters(priority=2)).entries} == {
            2
        }
        assert worklist.page(self.cast.ruth, worklist.Filters(status="signed")).entries == []
        assert worklist.page(self.cast.ruth, worklist.Filters(site="harbour")).entries == []
        day = worklist.Filters(day=cast.TAKEN.date() + timedelta(days=1))
        assert worklist.page(self.cast.ruth, day).entries == []

    def test_next_study_goes_on_and_round(self) -> None:
        order = self.walk("urgency", 50)
        entries = {entry.study_id: entry for entry in WorklistEntry.objects.all()}
        for here, there in zip(order, [*order[1:], order[0]], strict=True):
            found = worklist.next_study(self.cast.ruth, worklist.Filters(), entries[here])
            assert found is not None
            assert found.study_id == there

    def test_a_search_finds_the_same_however_it_is_looked_up(self) -> None:
        for words in ("yamada", "sat", "nobody"):
            filters = worklist.Filters(status="all", search=words, sort="newest")
            found = worklist.page(self.cast.ruth, filters).entries
            with mock.patch.object(worklist, "FEW", 0):
                assert worklist.page(self.cast.ruth, filters).entries == found, words
        assert found == []

    def test_nonsense_is_refused(self) -> None:
        for bad in ("%%%", "bm9uc2Vuc2U=", "W10="):
            with pytest.raises(exceptions.InvalidInput):
                worklist.page(self.cast.ruth, worklist.Filters(), bad)
        with pytest.raises(exceptions.InvalidInput):
            worklist.page(self.cast.ruth, worklist.Filters(sort="random"))

    def test_a_page_costs_a_constant_number_of_queries(self) -> None:
        with self.assertNumQueries(2):
            worklist.page(self.cast.ruth, worklist.Filters())
