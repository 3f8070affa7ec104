"""The pages as a person uses them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import WebSocketRoute, expect

from apps.domain.engine import EngineStatus
from apps.state.models import ConfigRevision
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.trading.models import Opportunity, Position
from tests.browser.conftest import Visit
from tests.dashboard import market
from tests.factories import BreakerFactory

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAGES = (
    "/",
    "/opportunities/",
    "/positions/",
    "/positions/?tab=closed",
    "/orders/",
    "/risk/",
    "/monitor/",
    "/audit/",
    "/incidents/",
    "/alerts/",
    "/configuration/",
)


def all_pages(life: dict[str, Any]) -> list[str]:
    return [
        *PAGES,
        "/killswitch/",
        f"/pairs/{life['pair'].pk}/",
        f"/trace/{life['trace_id']}/",
        f"/orders/{life['order'].pk}/",
        f"/incidents/{life['incident'].pk}/",
        f"/positions/{life['position'].pk}/close/",
    ]


def test_sign_in_when_the_password_is_wrong_then_said_and_when_right_then_overview(visit: Visit):
    page = visit.go("/orders/")
    assert "/login/" in page.url
    page.fill("#id_username", "ada")
    page.fill("#id_password", "wrong")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("Please enter a correct username and password")
    page.fill("#id_username", "ada")
    page.fill("#id_password", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_url("**/orders/")
    expect(page.locator("h1")).to_have_text("Orders")


def test_every_page_live_in_order_and_within_a_phone(visit: Visit, life):
    page = visit.sign_in()
    for path in all_pages(life):
        visit.go(path)
        expect(page.locator("#live")).to_contain_text("Live")
        expect(page.locator(".banner")).to_contain_text("SANDBOX")
        assert page.locator("#kill-button").is_visible(), path
    page.set_viewport_size({"width": 360, "height": 780})
    for path in all_pages(life):
        visit.go(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over == 0, f"{path} is {over} px too wide for a phone"
        assert page.locator("#kill-button").is_visible(), path


def test_charts_are_drawn(visit: Visit, life):
    page = visit.sign_in()
    expect(page.locator('.chart[data-chart="equity"] canvas').first).to_be_visible()
    visit.go(f"/pairs/{life['pair'].pk}/")
    expect(page.locator('.chart[data-chart="pair-chart"] canvas').first).to_be_visible()


def test_kill_switch_when_clicked_and_confirmed_then_stopped_and_resumed_with_a_reason(visit: Visit):
    page = visit.sign_in()
    page.click("#kill-button")
    dialog = page.locator("#kill-dialog")
    expect(dialog).to_be_visible()
    assert engine_view().status is EngineStatus.RUNNING
    dialog.get_by_text("Cancel").click()
    expect(dialog).to_be_hidden()
    page.click("#kill-button")
    dialog.locator("#kill-reason").fill("a drill")
    dialog.get_by_role("button", name="Kill now").click()
    expect(page.locator("#toasts")).to_contain_text("Kill switch pulled in")
    expect(page.locator("#status-line")).to_contain_text("STOPPED")
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert engine_view().reason == "a drill"
    page.click("#kill-button")
    dialog = page.locator("#resume-dialog")
    dialog.locator("#resume-reason").fill("drill over")
    dialog.get_by_role("button", name="Resume").click()
    expect(page.locator("#status-line")).to_contain_text("Paused")
    assert engine_view().status is EngineStatus.PAUSED


def test_breaker_when_it_trips_then_it_appears_by_itself_and_a_reason_arms_it_again(visit: Visit):
    visit.sign_in()
    page = visit.go("/risk/")
    expect(page.locator("#live")).to_contain_text("Live")
    expect(page.locator("#breakers")).to_contain_text("none is tripped")
    now = timezone.now()
    BreakerFactory(
        name="losses",
        until=now + timedelta(minutes=20),
        tripped_at=now,
        explanation="Five losses came one after another.",
        detail="losses=5 maximum=4",
    )
    expect(page.locator("#breakers")).to_contain_text("Five losses came one after another.")
    page.get_by_role("link", name="Reset…").click()
    page.locator("#reason").fill("the feed was wrong")
    page.get_by_role("button", name="Arm it again").click()
    expect(page.locator("#toasts")).to_contain_text("The breaker is armed again")
    expect(page.locator("#breakers")).to_contain_text("none is tripped")


def test_configuration_when_changed_then_difference_reason_history_and_return(visit: Visit):
    visit.sign_in()
    page = visit.go("/configuration/")
    before = active_config().config.rules.sell_tax_max_bps
    field = page.locator("#setting-rules__sell_tax_max_bps")
    field.fill("250")
    expect(page.locator("#config-check")).to_contain_text("2.50%")
    field.fill("99999")
    expect(page.locator("#config-check .field-errors")).to_be_visible()
    field.fill("250")
    expect(page.locator("#config-check")).to_contain_text("1 change")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("h1")).to_have_text("Save these changes?")
    expect(page.locator("main table")).to_contain_text("5.00%")
    assert ConfigRevision.objects.count() == 1
    page.locator("#reason").fill("taxes eat profits")
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.locator("#toasts")).to_contain_text("is active")
    expect(page.locator("#revision-rows")).to_contain_text("taxes eat profits")
    assert active_config().config.rules.sell_tax_max_bps == 250
    page.get_by_role("link", name="Return to it").click()
    page.locator("#reason").fill("too strict")
    page.get_by_role("button", name="Make it active again").click()
    expect(page.locator("#revision-rows")).to_contain_text("too strict")
    assert active_config().config.rules.sell_tax_max_bps == before


def test_position_when_closed_by_hand_then_asked_first_and_shown_as_leaving(visit: Visit, life):
    visit.sign_in()
    page = visit.go("/positions/")
    row = page.locator(f"#position-{life['position'].pk}")
    row.get_by_text("Close…").click()
    page.get_by_role("button", name="Sell everything now").click()
    expect(page.locator("#toasts")).to_contain_text("was asked for")
    expect(row).to_contain_text("Closing")
    assert Position.objects.get(pk=life["position"].pk).ordered_tag == "force_exit"


def test_change_when_it_happens_then_arrives_without_reload(visit: Visit, life):
    visit.sign_in()
    page = visit.go("/positions/")
    expect(page.locator("#live")).to_contain_text("Live")
    page.evaluate("window.stayed = true")
    held = life["position"]
    Position.objects.filter(pk=held.pk).update(mark_value_raw=held.cost_raw * 3)
    expect(page.locator(f"#position-{held.pk}")).to_contain_text("+200.00%")
    fresh = market.position(market.pair(symbol="FRESH", age_s=1))
    expect(page.locator(f"#position-{fresh.pk}")).to_contain_text("FRESH")
    expect(page.locator("#nav-positions")).to_contain_text("5")
    assert page.evaluate("window.stayed") is True


def test_page_when_the_socket_is_cut_then_it_asks_by_itself_and_comes_back(visit: Visit, life):
    cut: list[WebSocketRoute] = []
    is_blocked = True

    def answer(route: WebSocketRoute) -> None:
        if is_blocked:
            cut.append(route)
            route.close(code=1013)
        else:
            route.connect_to_server()

    visit.page.route_web_socket(re.compile("/ws/live/"), answer)
    visit.sign_in()
    page = visit.go("/positions/")
    expect(page.locator("#live")).to_contain_text("Polling")
    page.evaluate("window.stayed = true")
    held = life["position"]
    Position.objects.filter(pk=held.pk).update(mark_value_raw=held.cost_raw * 3)
    expect(page.locator(f"#position-{held.pk}")).to_contain_text("+200.00%")
    fresh = market.position(market.pair(symbol="FRESH", age_s=1))
    expect(page.locator(f"#position-{fresh.pk}")).to_contain_text("FRESH")
    expect(page.locator("#nav-positions")).to_contain_text("5")
    assert cut
    is_blocked = False
    expect(page.locator("#live")).to_contain_text("Live")
    assert page.evaluate("window.stayed") is True


def test_pages_when_there_is_no_script_then_readable_and_the_kill_switch_works(visit: Visit, chromium, life):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900})
    plain = Visit(context, visit.site)
    page = plain.sign_in()
    for path in all_pages(life):
        plain.go(path)
        expect(page.locator("h1").first).to_be_visible()
    plain.go("/killswitch/")
    page.locator("main").get_by_role("button", name="Kill now").click()
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    context.close()


def test_hostile_name_when_it_comes_live_then_harmless(visit: Visit, life):
    visit.sign_in()
    page = visit.go("/opportunities/")
    expect(page.locator("#live")).to_contain_text("Live")
    hostile = market.pair(symbol="<img src=x onerror=x>", name="<script>window.hurt=1</script>\u202eevil")
    held = market.position(hostile)
    visit.go("/opportunities/")
    row = page.locator(f"#opportunity-{held.opportunity_id}")
    expect(row).to_contain_text("<img src=x")
    assert page.evaluate("window.hurt") is None
    assert Opportunity.objects.filter(pk=held.opportunity_id).exists()


def test_second_factor_when_set_up_then_a_code_in_each_session_and_the_admin_opens(visit: Visit):
    page = visit.sign_in()
    visit.go("/second-factor/")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".qr svg")).to_be_visible()
    device = TOTPDevice.objects.get()
    page.fill("#id_code", f"{TOTP(device.bin_key).token():06d}")
    page.get_by_role("button", name="Confirm").click()
    codes = page.locator("#recovery-codes li")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    page.context.clear_cookies()
    page = visit.go("/login/?next=/admin/state/event/")
    page.fill("#id_username", "ada")
    page.fill("#id_password", "correct horse battery")
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("Second factor")
    page.fill("#id_code", code)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/admin/state/event/")
    expect(page.locator("#result_list")).to_be_visible()
