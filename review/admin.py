"""Platform administration: accounts, sites, who belongs where, tokens. Nothing clinical is shown here."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from zoneinfo import available_timezones

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Field, QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from review.models.patients import Site
from review.models.people import ApiToken, Membership, User
from review.services import accounts


class PlatformAdmin(admin.AdminSite):
    """Signing in is the application's own: one door, one record of who came."""

    site_header = site_title = _("MAIRA Web administration")
    index_title = _("Accounts and sites")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response


site = PlatformAdmin(name="admin")


def _by(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the admin lets nobody else in"
    return request.user


def _choice(field: "Field[Any, Any]") -> ChoiceField | None:
    """A form field of what can be meant; None for columns that say it themselves.

    A zone or language that nobody knows would break every page of a site.
    """
    known: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "time_zone": lambda: [(zone, zone) for zone in sorted(available_timezones())],
        "language": lambda: list(settings.LANGUAGES),
    }
    if field.name not in known:
        return None
    return ChoiceField(
        choices=known[field.name],
        initial=field.get_default(),
        label=capfirst(field.verbose_name),
        help_text=field.help_text,
    )


@admin.register(User, site=site)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # not subscriptable when run
    """Accounts are deactivated, never deleted: what they signed names them."""

    list_display = ("username", "printed_name", "is_active", "is_staff", "is_service", "last_login")
    list_filter = ("is_active", "is_staff", "is_service")
    search_fields = ("username", "printed_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("printed_name", "email", "language")}),
        (_("Account"), {"fields": ("is_active", "is_service", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "printed_name", "language", "is_service", "password1", "password2")}),
    )

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        return _choice(db_field) or super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        accounts.save_account(obj, by=_by(request))

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django's own page stores the password past `save_model`: it is recorded here, together."""
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
                user = User.objects.get(pk=id)
                accounts.note_credentials_changed(user, by=_by(request), what="password_changed")
        return response

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Site, site=site)
class SiteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when run
    """What changes at a site, the stage above all, is recorded."""

    list_display = ("code", "name", "time_zone", "language", "stage")

    def get_readonly_fields(self, request: HttpRequest, obj: Site | None = None) -> tuple[str, ...]:
        """What names patients and addresses stays once it was chosen."""
        return () if obj is None else ("code", "issuer_of_patient_id")

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        return _choice(db_field) or super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Site, form: "ModelForm[Site]", change: bool) -> None:
        accounts.save_site(obj, by=_by(request))

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Membership, site=site)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when run
    """Given and taken by the service, which records it; a role is not changed but replaced."""

    list_display = ("user", "site", "role")
    list_filter = ("site", "role")
    search_fields = ("user__username",)

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Membership, form: "ModelForm[Membership]", change: bool
    ) -> None:
        obj.pk = accounts.grant(obj.user, site=obj.site, role=obj.role, by=_by(request)).pk  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        accounts.revoke(obj, by=_by(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            accounts.revoke(membership, by=_by(request))


@admin.register(ApiToken, site=site)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when run
    """Made by `createtoken`, which alone shows them; here they are looked at and revoked."""

    list_display = ("id", "user", "created_at", "last_used_at", "revoked_at")
    list_filter = ("user",)
    fields = readonly_fields = ("user", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            accounts.revoke_token(token, by=_by(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
