"""Builds the ways of telling from the environment: the only chooser of their classes."""

from __future__ import annotations

from django.conf import settings

from apps.alerts.models import BotBinding
from apps.alerts.transports.discord import DiscordTransport
from apps.alerts.transports.email import EmailTransport
from apps.alerts.transports.port import Transport
from apps.alerts.transports.telegram import TelegramApi, TelegramTransport
from apps.alerts.transports.webhook import WebhookTransport


def configured() -> tuple[str, ...]:
    """Return the names of the ways that the environment names."""
    env = settings.ENV
    found = {
        "telegram": env.alert_telegram_token,
        "discord": env.alert_discord_webhook,
        "email": env.alert_email_to,
        "webhook": env.alert_webhook,
    }
    return tuple(name for name, value in found.items() if value)


def transport(name: str) -> Transport:
    """Return a configured way, made anew: each thread has its own."""
    env = settings.ENV
    assert name in configured(), name
    match name:
        case "telegram":
            return TelegramTransport(api=telegram_api(), chat_of=alert_chat)
        case "discord":
            return DiscordTransport(webhook=env.alert_discord_webhook)
        case "email":
            return EmailTransport(sender=env.alert_email_from, recipients=env.alert_email_to)
        case _:
            return WebhookTransport(url=env.alert_webhook, secret=env.alert_webhook_secret)


def telegram_api() -> TelegramApi:
    """Return the bot's methods."""
    return TelegramApi(base_url=settings.ENV.alert_telegram_url, token=settings.ENV.alert_telegram_token)


def alert_chat() -> int | None:
    """Return the chat that gets alerts: the one the environment names, else the paired one."""
    given: str = settings.ENV.alert_telegram_chat
    if given:
        return int(given)
    return BotBinding.objects.filter(pk=1).values_list("chat_id", flat=True).first()
