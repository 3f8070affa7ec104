"""Signing in, and the second factor: set up, given, taken away."""

from __future__ import annotations

import base64

import segno
from django import forms
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as factor_given
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.domain.errors import ConfigurationError
from apps.state.permissions import GUARDED
from apps.state.services.second_factor import (
    CODE_LENGTH_MAX,
    factor_remove,
    factor_state,
    factor_verify,
    is_missing,
    is_set_up,
    recovery_renew,
    set_up_begin,
    set_up_confirm,
    set_up_device,
)


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label="Code",
        max_length=CODE_LENGTH_MAX,
        help_text="Six digits from your authenticator, or a recovery code.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


class SignIn(auth.LoginView):
    """The sign-in; whoever acts with a second factor is asked for it next."""

    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Return the page to go on with."""
        url, user = super().get_success_url(), self.request.user
        if not user.is_authenticated or not is_missing(user):
            return url
        if is_set_up(user):
            return f"{reverse('dashboard:second_factor_verify')}?{urlencode({'next': url})}"
        if any(user.has_perm(permission) for permission in GUARDED):
            return f"{reverse('dashboard:second_factor')}?{urlencode({'next': url})}"
        return url


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Show how one's second factor stands; set it up, renew its recovery codes, take it away."""
    act = request.POST.get("action", "") if request.method == "POST" else ""
    try:
        if act == "begin":
            set_up_begin(request.user)
            return _page(request, CodeForm())
        if act == "confirm":
            return _confirm(request)
        if act in ("renew", "remove"):
            return _change(request, act)
    except ConfigurationError as error:
        form = CodeForm({"code": "-"})
        form.add_error(None, " ".join(filter(None, (str(error), error.remedy))))
        return _page(request, form, status=409)
    return _page(request, CodeForm())


def _confirm(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST)
    if form.is_valid():
        made = set_up_confirm(request.user, code=form.cleaned_data["code"])
        if made is not None:
            device, codes = made
            _let_in(request, device)
            return _page(request, CodeForm(), codes=codes)
        form.add_error("code", _WRONG)
    return _page(request, form, status=422)


def _change(request: HttpRequest, act: str) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid() or _verified(request, form) is None:
        return _page(request, form, status=422)
    if act == "renew":
        return _page(request, CodeForm(), codes=recovery_renew(request.user))
    factor_remove(request.user, by=request.user.get_username())
    return HttpResponseRedirect(reverse("dashboard:second_factor"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_verify(request: HttpRequest) -> HttpResponse:
    """Ask for a code, and let this session act."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        device = _verified(request, form)
        if device is not None:
            _let_in(request, device)
            return HttpResponseRedirect(_next(request))
    context = {"form": form, "next": _next(request), "factor": factor_state(request.user)}
    return render(request, "dashboard/second_factor_verify.html", context, status=422 if form.errors else 200)


_WRONG = "This code is wrong, was used already, or came too soon after a wrong one: wait for the next one."


def _verified(request: HttpRequest, form: CodeForm) -> Device | None:
    address = request.META.get("REMOTE_ADDR", "")
    device = factor_verify(request.user, code=form.cleaned_data["code"], address=address)
    if device is None:
        form.add_error("code", _WRONG)
    return device


def _let_in(request: HttpRequest, device: Device) -> None:
    """Let this session act, under a new key: a stolen older one stays without."""
    request.session.cycle_key()
    factor_given(request, device)


def _page(
    request: HttpRequest, form: CodeForm, *, codes: tuple[str, ...] = (), status: int = 200
) -> HttpResponse:
    state = factor_state(request.user)
    device = None if state.is_set_up else set_up_device(request.user)
    context = {
        "form": form,
        "factor": state,
        "codes": codes,
        "next": _next(request),
        "picture": "" if device is None else _picture(device),
        "secret": "" if device is None else _secret(device),
    }
    return render(request, "dashboard/second_factor.html", context, status=status)


def _picture(device: TOTPDevice) -> SafeString:
    """Return the QR code as an inline picture: attributes only, so that the content policy lets it pass."""
    code = segno.make(device.config_url, error="m", micro=False)
    svg = code.svg_inline(omitsize=True, dark="#000", light="#fff", border=4)
    return mark_safe(svg)  # noqa: S308 - made of the modules of a QR code


def _secret(device: TOTPDevice) -> str:
    """Return the secret as authenticators take it when typed, in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _next(request: HttpRequest) -> str:
    """Return the page to go on with, if it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return reverse("dashboard:overview")
