"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from apps.dashboard.views import (
    acting,
    advanced,
    alerts,
    audit,
    configuring,
    intelligence,
    money,
    monitor,
    reading,
    second_factor,
)

app_name = "dashboard"
urlpatterns = [
    path("", reading.overview, name="overview"),
    path("opportunities/", reading.opportunities, name="opportunities"),
    path("pairs/<int:pair_id>/", reading.pair, name="pair"),
    path("trace/<slug:trace_id>/", reading.trace, name="trace"),
    path("positions/", reading.positions, name="positions"),
    path("positions/<int:position_id>/close/", acting.position_close, name="position_close"),
    path("positions/<int:position_id>/trade/", advanced.position_trade, name="position_trade"),
    path("pairs/<int:pair_id>/buy/", advanced.pair_buy, name="pair_buy"),
    path("orders/advanced/", advanced.advanced, name="advanced"),
    path("orders/advanced/<int:advanced_id>/", advanced.advanced_act, name="advanced_act"),
    path("orders/", reading.orders, name="orders"),
    path("orders/<int:order_id>/", reading.order, name="order"),
    path("risk/", reading.risk, name="risk"),
    path("intelligence/", intelligence.intelligence, name="intelligence"),
    path("money/", money.money, name="money"),
    path("money/approvals/<int:approval_id>/revoke/", money.approval_revoke, name="approval_revoke"),
    path("money/export/<slug:what>/", money.money_export, name="money_export"),
    path("monitor/", monitor.monitor, name="monitor"),
    path("risk/breakers/<slug:name>/reset/", acting.breaker_reset, name="breaker_reset"),
    path("incidents/", reading.incidents, name="incidents"),
    path("incidents/<int:incident_id>/", acting.incident, name="incident"),
    path("incidents/<int:incident_id>/resolve/", acting.incident_close, name="incident_resolve"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:alert_id>/", alerts.alert, name="alert"),
    path("alerts/<int:alert_id>/acknowledge/", alerts.alert_acknowledged, name="alert_acknowledge"),
    path("alerts/test/<slug:way>/", alerts.alert_test, name="alert_test"),
    path("alerts/deliveries/<int:delivery_id>/again/", alerts.delivery_again, name="delivery_again"),
    path("alerts/bot/pair/", alerts.bot_pair, name="bot_pair"),
    path("alerts/bot/unpair/", alerts.bot_unpair, name="bot_unpair"),
    path("configuration/", configuring.configuration, name="configuration"),
    path("configuration/check/", configuring.check, name="config_check"),
    path("configuration/review/", configuring.review, name="config_review"),
    path("configuration/save/", configuring.save, name="config_save"),
    path("configuration/<int:number>/restore/", configuring.restore, name="config_restore"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.audit_file, name="audit_file"),
    path("second-factor/", second_factor.second_factor, name="second_factor"),
    path("second-factor/verify/", second_factor.second_factor_verify, name="second_factor_verify"),
    path("killswitch/", acting.killswitch, name="killswitch"),
    path("engine/", acting.engine_action, name="engine_action"),
    path("panels/<slug:name>/", reading.panel, name="panel"),
    path("healthz", reading.healthz, name="healthz"),
]
