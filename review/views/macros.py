"""The page of macros: what a person types by a short name."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from review.forms import MacroForm
from review.models.people import Capability
from review.selectors import macros as selectors
from review.selectors import people
from review.services import macros
from review.views.doors import Request, door


@door(Capability.WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: Request) -> HttpResponse:
    """All macros the person may use; a POST keeps one. A refusal shows the page again with what was typed."""
    sites = people.sites_with(request.user, Capability.FINALISE).order_by("name")
    form = MacroForm(request.POST or None, sites=sites)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        macros.keep(by=request.user, name=given["name"], text=given["text"], site=given["site"])
        return redirect("macros")
    context = {"macros": selectors.visible_to(request.user), "form": form, "sites": sites}
    return render(request, "review/macros.html", context, status=422 if form.errors else 200)


@door(Capability.WRITE)
@require_POST
def drop(request: Request, macro_id: int) -> HttpResponseRedirect:
    macro = get_object_or_404(selectors.visible_to(request.user), pk=macro_id)
    macros.drop(macro, by=request.user)
    return redirect("macros")
