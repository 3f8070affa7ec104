"""The configuration's pages: edit, see what changes, save with a reason; return to an older revision."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.dashboard.config_form import ConfigForm
from apps.dashboard.operations import configuration_save
from apps.dashboard.pages import attempt, page, plain_page, reason_of
from apps.dashboard.roles import CHANGE_CONFIGURATION, LOOK_CONFIGURATION, needs
from apps.dashboard.selectors.configuration import changes_between, revision_of
from apps.state.services.config import active_config


@require_http_methods(["GET", "HEAD"])
@needs(LOOK_CONFIGURATION)
def configuration(request: HttpRequest) -> HttpResponse:
    """Show the active configuration as a form, and its history."""
    active = active_config()
    form = ConfigForm(active.config)
    return page(
        request, "dashboard/configuration.html", view="configuration", form=form, revision=active.revision
    )


@require_POST
@needs(CHANGE_CONFIGURATION)
def check(request: HttpRequest) -> HttpResponse:
    """Return what the values in the form would change, or what is wrong with them, while they are typed."""
    active = active_config()
    form = ConfigForm(active.config, request.POST)
    changes = form.changes if form.is_valid() else ()
    return render(request, "dashboard/_config_check.html", {"form": form, "changes": changes})


@require_POST
@needs(CHANGE_CONFIGURATION)
def review(request: HttpRequest) -> HttpResponse:
    """Show what would change and ask for a reason; with faults, the form again."""
    active = active_config()
    form = ConfigForm(active.config, request.POST)
    if not form.is_valid():
        context = {"form": form, "revision": active.revision, "may_change": True, "panels": {}}
        return plain_page(
            request, "dashboard/configuration.html", status=422, section="configuration", **context
        )
    if not form.changes:
        return attempt(request, lambda: "Nothing was changed.", back=reverse("dashboard:configuration"))
    return plain_page(
        request,
        "dashboard/config_review.html",
        section="configuration",
        form=form,
        changes=form.changes,
        revision=active.revision,
        target=reverse("dashboard:config_save"),
    )


@require_POST
@needs(CHANGE_CONFIGURATION)
def save(request: HttpRequest) -> HttpResponse:
    """Save the reviewed values as a new revision."""
    form = ConfigForm(active_config().config, request.POST)
    back = reverse("dashboard:configuration")
    by, reason, seen = request.user.get_username(), reason_of(request), request.POST.get("revision", "")
    if not form.is_valid():
        return review(request)
    return attempt(
        request,
        lambda: configuration_save(payload=form.payload, by=by, reason=reason, seen_revision=seen),
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(CHANGE_CONFIGURATION)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Show what a return to an older revision changes, and do it."""
    older, active = revision_of(number), active_config()
    if older is None:
        raise Http404
    if request.method == "POST":
        by, reason, seen = request.user.get_username(), reason_of(request), request.POST.get("revision", "")
        return attempt(
            request,
            lambda: configuration_save(payload=older.payload, by=by, reason=reason, seen_revision=seen),
            back=reverse("dashboard:configuration"),
        )
    changes = changes_between(active.config.model_dump(mode="json"), older.payload)
    if not changes:
        return HttpResponseRedirect(reverse("dashboard:configuration"))
    return plain_page(
        request,
        "dashboard/config_review.html",
        section="configuration",
        changes=changes,
        older=older,
        revision=active.revision,
        target=reverse("dashboard:config_restore", args=[number]),
    )
