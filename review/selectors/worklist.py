"""The worklist: a fixed set of filters and sorts, each with an index, and keyset paging."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext as _

from review.exceptions import InvalidInput
from review.models.people import Capability, User
from review.models.studies import Study
from review.models.worklist import SEARCHED, WorklistEntry, WorklistStatus
from review.selectors import people
from review.worklist import search_key

PAGE_SIZE = 50
FEW = 2_000
"""Matches of a search at one site that are sorted as they are found."""
MIN_DAY, MAX_DAY = date(1895, 11, 8), date(2200, 1, 1)
"""The first radiograph was taken on the first of these; days near the calendar's ends have no zone."""


@dataclass(frozen=True)
class Sort:
    """Columns in order, all ascending or, with a leading minus, all descending. The study closes every sort,
    so that no two rows tie."""

    columns: tuple[str, ...]


SORTS: dict[str, Sort] = {
    "urgency": Sort(("priority", "started_at", "study_id")),
    "newest": Sort(("-started_at", "-study_id")),
    "received": Sort(("-received_at", "-study_id")),
}


@dataclass(frozen=True)
class Filters:
    """What the worklist is narrowed to; an empty value narrows nothing. `day` is a day in `zone`."""

    status: str = "open"
    priority: int | None = None
    site: str = ""
    assigned_to: User | None = None
    search: str = ""
    day: date | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    sort: str = "urgency"


@dataclass(frozen=True)
class Page:
    entries: list[WorklistEntry]
    next_cursor: str


def visible_to(user: User) -> QuerySet[WorklistEntry]:
    """Rows of the sites the user reads at."""
    return WorklistEntry.objects.filter(site__in=people.sites_with(user, Capability.READ)).select_related(
        "study", "site", "assignee"
    )


def page(user: User, filters: Filters, cursor: str = "") -> Page:
    """One page of at most `PAGE_SIZE` rows after the cursor.

    Raises
    ------
    InvalidInput
        When the sort or the cursor is not one of ours.
    """
    if filters.sort not in SORTS:
        raise InvalidInput(_("There is no sort named %(name)s.") % {"name": repr(filters.sort)})
    columns = SORTS[filters.sort].columns
    behind = _after(columns, _decode(cursor, columns)) if cursor else Q()
    entries = _first(user, filters, behind, PAGE_SIZE + 1)
    more = len(entries) > PAGE_SIZE
    entries = entries[:PAGE_SIZE]
    return Page(entries, _encode(entries[-1], columns) if more else "")


def next_study(user: User, filters: Filters, after: WorklistEntry) -> WorklistEntry | None:
    """The study to read after this one: the next of the list, else its first."""
    columns = SORTS[filters.sort].columns
    values = [getattr(after, column.lstrip("-")) for column in columns]
    others = ~Q(pk=after.pk)
    found = _first(user, filters, others & _after(columns, values), 1) or _first(user, filters, others, 1)
    return found[0] if found else None


def _first(user: User, filters: Filters, condition: Q, count: int) -> list[WorklistEntry]:
    """The first rows of a list.

    Each site is asked for its own first rows, which an index gives in order; asked over several sites at
    once, PostgreSQL would read and sort all of them.
    """
    columns = SORTS[filters.sort].columns
    sites = people.sites_with(user, Capability.READ)
    if filters.site:
        sites = sites.filter(code=filters.site)
    of_sites = [
        rows.filter(condition, _narrowed(filters)).order_by(*columns).values("pk")[:count]
        for rows in _searched(list(sites.values_list("pk", flat=True)), filters.search)
    ]
    if not of_sites:
        return []
    rows = WorklistEntry.objects.filter(pk__in=_together(of_sites)).select_related(
        "study", "site", "assignee"
    )
    return list(rows.order_by(*columns)[:count])


def _searched(sites: list[int], search: str) -> list[QuerySet[WorklistEntry]]:
    """For each site the rows that fit the words.

    Where few do, they are looked up by the words first. Where many do, the rows in order meet enough of them
    soon. PostgreSQL, left to choose, reads a whole site where a name is common elsewhere and unknown here.
    """
    of_sites = [WorklistEntry.objects.filter(site_id=site) for site in sites]
    fits = _by_search(search)
    if not fits or not sites:
        return of_sites
    # Each column has an index that holds all that is asked of it here: the table is not read.
    matches = [[rows.filter(one).order_by()[: FEW + 1] for one in fits] for rows in of_sites]
    sites_of = [some.values_list("site_id", flat=True) for at_site in matches for some in at_site]
    found = Counter(_together(sites_of))
    return [
        rows.filter(reduce(or_, fits))
        if found[site] > FEW
        else rows.filter(pk__in=_together([some.values("pk") for some in at_site]))
        for site, rows, at_site in zip(sites, of_sites, matches, strict=True)
    ]


def _together(querysets: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    return querysets[0] if len(querysets) == 1 else querysets[0].union(*querysets[1:], all=True)


def is_changed(study: Study) -> bool:
    """Whether an image came that no signature on the study's report has seen."""
    return WorklistEntry.objects.filter(study=study, status=WorklistStatus.CHANGED).exists()


def _by_status(value: str) -> Q:
    if value == "open":
        return Q(is_open=True)
    if value not in WorklistStatus.values:
        return Q()
    # All but signed studies are open, and the index of the open ones is small.
    return Q(status=value) if value == WorklistStatus.SIGNED else Q(status=value, is_open=True)


def _by_search(value: str) -> list[Q]:
    """One condition for each column that is searched, any of which may hold; none without words."""
    key = search_key(value)
    return [Q(**{f"{column}__startswith": key}) for column in SEARCHED] if key else []


def _by_day(day: date | None, zone: ZoneInfo) -> Q:
    if day is None:
        return Q()
    start = datetime.combine(day, time(), tzinfo=zone)
    if not MIN_DAY <= day <= MAX_DAY:
        raise InvalidInput(_("No study was ever taken on that day."))
    return Q(started_at__gte=start, started_at__lt=start + timedelta(days=1))


def _narrowed(filters: Filters) -> Q:
    condition = _by_status(filters.status) & _by_day(filters.day, filters.zone)
    if filters.priority is not None:
        condition &= Q(priority=filters.priority)
    if filters.assigned_to is not None:
        condition &= Q(assignee=filters.assigned_to)
    return condition


def _after(columns: tuple[str, ...], values: list[Any]) -> Q:
    """Rows strictly behind the given one in this order, as one comparison of rows: an index starts there."""
    names = [column.lstrip("-") for column in columns]
    compare = TupleLessThan if columns[0].startswith("-") else TupleGreaterThan
    return Q(compare(Tuple(*names), tuple(values)))


def _encode(entry: WorklistEntry, columns: tuple[str, ...]) -> str:
    values = [getattr(entry, column.lstrip("-")) for column in columns]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "priority": int,
    "study_id": int,
    "started_at": datetime.fromisoformat,
    "received_at": datetime.fromisoformat,
}


def _decode(cursor: str, columns: tuple[str, ...]) -> list[Any]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return [_PARSERS[column.lstrip("-")](value) for column, value in zip(columns, plain, strict=True)]
    except (binascii.Error, UnicodeDecodeError, ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(_("This page link is damaged. Start again from the top of the list.")) from error
