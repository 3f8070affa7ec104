"""The kinds of the one append-only event log. The first eight are also live message types."""

from __future__ import annotations

from enum import Enum


class EventKind(Enum):
    """What happened."""

    ENGINE_STATUS = "engine_status"
    TRADE_EXECUTED = "trade_executed"
    OPPORTUNITY_FOUND = "opportunity_found"
    RISK_ALERT = "risk_alert"
    NEW_PAIR_ANALYSIS = "new_pair_analysis"
    MARKET_REGIME_CHANGE = "market_regime_change"
    WHALE_ACTIVITY_ALERT = "whale_activity_alert"
    COORDINATION_DETECTED = "coordination_detected"
    PAIR_CHANGED = "pair_changed"
    DECISION_MADE = "decision_made"
    ORDER_CHANGED = "order_changed"
    POSITION_CHANGED = "position_changed"
    CONFIG_CHANGED = "config_changed"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_CLOSED = "incident_closed"
    KEY_USED = "key_used"  # made, unlocked, limited, exported, rotated
    KEY_SIGNED = "key_signed"  # one signature, with its purpose
    LOGIN = "login"  # in, out, refused, locked out, second factor
    ACCESS_CHANGED = "access_changed"  # users, groups, rights, second factors, tokens
    COMPONENT_CHANGED = "component_changed"
    ALERT_CHANGED = "alert_changed"
    BOT_COMMAND = "bot_command"
