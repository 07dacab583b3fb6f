"""The start: each person's first place."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from review.templatetags import navigation
from review.views.doors import Request, door


@door()
@require_safe
def start(request: Request) -> HttpResponse:
    places = navigation.places_for(request.user)
    if not places:
        return render(request, "review/no_place.html")
    return HttpResponseRedirect(places[0].url)
