"""What people say, beside the road: polls the social sources that are due and keeps what they brought."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache, partial
from urllib.parse import urlsplit

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.domain.money import usd_to_micros
from apps.engine import housekeeping
from apps.engine.road import guarded
from apps.intelligence.services.social_sources import messages_prune, sources_poll
from apps.intelligence.sources.social.discord import DiscordSource
from apps.intelligence.sources.social.port import SocialSource
from apps.intelligence.sources.social.telegram import TelegramSource
from apps.intelligence.sources.social.telegram_channels import TelegramChannelsSource, client_of
from apps.intelligence.sources.social.x import POLL_EVERY_S, UNITS_PER_USD, XSource
from apps.state.services.config import active_config
from apps.state.services.heartbeats import lease_release, lease_take
from apps.state.services.incidents import incident_from_error, incident_resolve

LEASE, LEASE_S = "social", 120
#: The sandbox's own server needs no token; an hour passes there in a minute.
SANDBOX_TOKEN, SANDBOX_CHANNELS, SANDBOX_POLL_S = "sandbox", ("1", "2"), 5.0  # opens nothing
_FAULTS = ("SOURCE_BLOCKED", "SOURCE_EXHAUSTED", "NETWORK", "RATE_LIMITED", "BAD_DATA")
_REMEDIES = {
    "x": "Not configured: set DEXSNIPER_X_BEARER_TOKEN_FILE to read X.",
    "telegram": "Not configured: set DEXSNIPER_TELEGRAM_BOT_TOKEN_FILE to read Telegram.",
    "tg_channels": "Not configured: set DEXSNIPER_TELEGRAM_CHANNELS and make a session ('manage.py telegram_session').",
    "discord": "Not configured: set DEXSNIPER_DISCORD_BOT_TOKEN_FILE and DEXSNIPER_DISCORD_CHANNELS to read Discord.",
}


@shared_task(name="engine.social")
def social() -> None:
    """Poll every social source that is due, one worker at a time; repeatable at will."""
    holder = housekeeping.worker_name()
    if not lease_take(name=LEASE, holder=holder, ttl_s=LEASE_S):
        return
    try:
        with guarded("social"):
            _poll()
    finally:
        lease_release(name=LEASE, holder=holder)


def _poll() -> None:
    config, now = active_config().config.social, timezone.now()
    sources = social_sources(usd_to_micros(config.x_budget_daily_usd) * UNITS_PER_USD // 10**6)
    named = {source.name for source in sources}
    report = sources_poll(
        sources=sources,
        not_configured={name: remedy for name, remedy in _REMEDIES.items() if name not in named},
        config=config,
        now=now,
    )
    for name, fault in report.faults.items():
        incident_from_error(fault, dedup_key=f"social/{name}/{fault.code}")
    for name in report.recovered:
        for code in _FAULTS:
            incident_resolve(dedup_key=f"social/{name}/{code}")
    messages_prune(before=now - timedelta(seconds=config.kept_s))


@lru_cache(maxsize=4)
def social_sources(x_daily_budget: int) -> tuple[SocialSource, ...]:
    """Return the sources that are configured; a sandbox reads its own simulated chatter unless told otherwise."""
    env = settings.ENV
    poll_s = SANDBOX_POLL_S if env.is_sandbox else POLL_EVERY_S
    sources: list[SocialSource] = []
    if (token := env.x_bearer_token or _own_token(env.x_url)) and x_daily_budget > 0:
        sources.append(
            XSource(base_url=env.x_url, bearer_token=token, daily_budget=x_daily_budget, poll_every_s=poll_s)
        )
    if token := env.telegram_bot_token or _own_token(env.telegram_url):
        sources.append(TelegramSource(base_url=env.telegram_url, bot_token=token))
    if env.telegram_channels and env.telegram_session:
        connect = partial(
            client_of,
            api_id=env.telegram_api_id,
            api_hash=env.telegram_api_hash,
            session=env.telegram_session,
        )
        sources.append(TelegramChannelsSource(connect=connect, channels=env.telegram_channels))
    channels = env.discord_channels or (SANDBOX_CHANNELS if _own_token(env.discord_url) else ())
    if (token := env.discord_bot_token or _own_token(env.discord_url)) and channels:
        sources.append(DiscordSource(base_url=env.discord_url, bot_token=token, channels=channels))
    return tuple(sources)


def _own_token(url: str) -> str:
    """Return the token for the sandbox's own server, "" for any other."""
    is_own = settings.ENV.is_sandbox and urlsplit(url).hostname in ("127.0.0.1", "localhost")
    return SANDBOX_TOKEN if is_own else ""
