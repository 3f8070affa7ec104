"""The API's own pages: its documentation, made here and working offline, and the tokens of whoever is signed in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from ninja.errors import AuthenticationError

from apps.api.assembly import api, description
from apps.api.authentication import BearerToken, SignedIn
from apps.api.logic.reference import reference
from apps.api.problems import not_allowed
from apps.api.scopes import SCOPES, WORDS
from apps.api.services.tokens import DAYS_MAX, NAME_LENGTH_MAX, token_create, token_revoke, tokens_of
from apps.domain.errors import SniperError
from apps.state.permissions import LOOK, may

TOKENS_SHOWN = 100


def openapi(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI description to a token's bearer or whoever is signed in."""
    if request.method not in ("GET", "HEAD"):
        return not_allowed(request, "GET, HEAD")
    if not (BearerToken()(request) or SignedIn()(request)):
        return api.on_exception(request, AuthenticationError())
    return JsonResponse(description())


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """Show every operation with its parameters, body and answers."""
    _may_look(request)
    return render(
        request, "api/docs.html", {"groups": reference(description()), "scopes": WORDS, "section": "api"}
    )


class TokenForm(forms.Form):
    """What a new token is for, and what it may."""

    use_required_attribute = False
    name = forms.CharField(label="What it is for", max_length=NAME_LENGTH_MAX)
    scopes = forms.MultipleChoiceField(
        label="What it may",
        choices=[(scope, f"{scope}: {WORDS[scope]}") for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=["read"],
    )
    days = forms.IntegerField(
        label="Ends after days",
        help_text="Empty: when it is revoked.",
        required=False,
        min_value=1,
        max_value=DAYS_MAX,
        initial=90,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """Show a person's tokens, and make a new one, which is shown this once."""
    _may_look(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    made, refusal = "", ""
    if request.method == "POST" and form.is_valid():
        try:
            _, made = token_create(
                user=request.user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                days=form.cleaned_data["days"],
                by=request.user.get_username(),
            )
        except SniperError as error:
            refusal = " ".join(filter(None, (str(error), error.remedy)))
        else:
            form = TokenForm()
    context: dict[str, Any] = {
        "form": form,
        "made": made,
        "refusal": refusal,
        "rows": tokens_of(request.user.pk)[:TOKENS_SHOWN],
        "section": "api",
    }
    return render(request, "api/tokens.html", context, status=422 if form.errors or refusal else 200)


@require_POST
def token_revoke_one(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of the visitor's own tokens."""
    _may_look(request)
    if token_revoke(token_id=token_id, by=request.user.get_username(), owner_id=request.user.pk):
        messages.success(request, "The token is revoked; it opens nothing any more.")
    else:
        messages.info(request, "There is no such token of yours in force.")
    return HttpResponseRedirect(reverse("api:tokens"))


def _may_look(request: HttpRequest) -> None:
    if not may(request.user, LOOK):
        raise PermissionDenied
