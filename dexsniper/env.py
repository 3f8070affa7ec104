"""The only reader of the process environment.

Everything has a default that runs the sandbox. Faults are collected and reported together, each with an id and a hint.
A secret may be given as ``NAME`` or, better, as ``NAME_FILE``: the path of a file that holds it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

import environ

from apps.sandbox.chainspec import CHAIN_NAMES, CHAIN_NAMES_DEFAULT
from apps.state.logic.redaction import redact_urls

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "DEXSNIPER_"
OPINION_SOURCES = ("goplus", "honeypot_is", "rugcheck")
#: What a sale does that no private relay gets into a block.
RELAY_EXITS = ("stay", "leak")
Mode = Literal["sandbox", "paper", "live"]
MODES: tuple[Mode, ...] = ("sandbox", "paper", "live")
KEYSTORE_PASSWORD_LENGTH_MIN = 12  # in live
#: What a process of ours needs to work at all, with a margin.
PROCESS_MEMORY_MIN_MB = 300
_PAPER_COINS_MAX = 1_000_000_000
#: Some ten thousand dollars on each chain: enough for the default limits, not so much that impact and limits never bind.
PAPER_COINS_DEFAULT: Mapping[str, Decimal] = {
    "*": Decimal(5),
    "eip155:56": Decimal(25),
    "eip155:137": Decimal(100_000),
}
_T = TypeVar("_T")


class EnvironmentFaults(Exception):
    """The environment is wrong; the text lists every fault with its remedy."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(["The environment is not usable:", *[f"  - {fault}" for fault in faults]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the process environment says, checked. Field names are the variables' names without their prefix."""

    mode: Mode
    live_trading: bool
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)  # "" : the embedded Valkey
    secret_key: str = field(repr=False)
    keystore_password: str = field(repr=False)
    remote_signer_url: str = field(repr=False)  # "": keys lie in the keystore alone
    admin_user: str
    admin_password: str = field(repr=False)  # "" : generated and printed once
    metrics_token: str = field(repr=False)  # "": /metrics needs a login
    debug: bool
    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    tls: bool  # a proxy before us speaks TLS
    log_level: str
    log_json: bool
    autostart: bool
    relay_exits: str  # "leak", "stay", "": nobody was asked; counts at the first start
    process_memory_max_mb: int  # a process of ours that takes more is started anew
    sandbox_seed: int
    sandbox_pace: float  # new pairs a second, all sandbox chains together
    sandbox_port_base: int
    sandbox_chains: tuple[str, ...]  # names of the local chains that run, see apps/sandbox/chainspec.py
    dexscreener_url: str
    geckoterminal_url: str
    klines_url: str  # daily and hourly candles in the form of Binance; "": none
    coingecko_url: str  # daily closes when the former does not answer; "": none
    coingecko_key: str = field(repr=False)
    opinion_sources: tuple[str, ...]  # outside services asked for second opinions on tokens; none by default
    goplus_url: str
    honeypot_is_url: str
    honeypot_is_key: str = field(repr=False)  # "": none is needed
    rugcheck_url: str
    rugcheck_key: str = field(repr=False)  # "": none is needed
    x_url: str
    x_bearer_token: str = field(repr=False)  # "": X is not read
    telegram_url: str
    telegram_bot_token: str = field(repr=False)  # "": Telegram is not read
    telegram_channels: tuple[str, ...]  # names of public channels, read by a person's own session
    telegram_api_id: int
    telegram_api_hash: str = field(repr=False)
    telegram_session: str = field(repr=False)
    discord_url: str
    discord_bot_token: str = field(repr=False)  # "": Discord is not read
    discord_channels: tuple[str, ...]  # ids of the channels to read
    public_url: str  # the pages' address as people type it; stands in messages
    alert_telegram_url: str
    alert_telegram_token: str = field(repr=False)  # "": no messages and no commands by Telegram
    alert_telegram_chat: str  # the chat that gets alerts; "": the paired one
    alert_discord_webhook: str = field(repr=False)  # its address is its key; "": none
    alert_email_to: tuple[str, ...]
    alert_email_from: str
    smtp_host: str
    smtp_port: int
    smtp_security: Literal["starttls", "tls", "none"]
    smtp_user: str
    smtp_password: str = field(repr=False)
    alert_webhook: str = field(repr=False)  # its address may hold a key; "": none
    alert_webhook_secret: str = field(repr=False)  # signs what the webhook gets
    sentiment_onnx: Path | None  # a folder with the user's own scorer of messages; None: the shipped one
    paper_coins: Mapping[
        str, Decimal
    ]  # what a paper wallet begins with, by chain key; "*": on every other chain

    @property
    def is_sandbox(self) -> bool:
        """Tell whether the whole market is simulated on local chains."""
        return self.mode == "sandbox"

    def paper_coins_on(self, chain_key: str) -> Decimal:
        """Return the whole coins that a paper wallet begins with on this chain."""
        return self.paper_coins.get(chain_key, self.paper_coins["*"])


class _Reader:
    def __init__(self) -> None:
        env_file = BASE_DIR / ".env"
        if env_file.is_file():
            environ.Env.read_env(str(env_file))
        self._env = environ.Env()
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return str(self._env.str(PREFIX + name, default=default)).strip()

    def secret(self, name: str, default: str = "") -> str:
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name, default)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            self.fault(
                f"{name}_FILE", f"cannot read {path}: {error.strerror}", "give the path of a readable file"
            )
            return default

    def parse(self, name: str, convert: Callable[[str], _T], hint: str, *, default: _T) -> _T:
        given = self.secret(name)  # addresses may hold passwords, too
        if given == "":
            return default
        try:
            return convert(given)
        except ValueError:
            self.fault(name, f"{redact_urls(given)!r} is not usable", hint)
            return default

    def fault(self, name: str, what: str, hint: str) -> None:
        self.faults.append(f"[E-{name.lower().replace('_', '-')}] {PREFIX}{name}: {what}; {hint}.")


def _boolean(given: str) -> bool:
    if given.lower() in ("1", "true", "yes", "on"):
        return True
    if given.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(given)


def _port(given: str) -> int:
    port = int(given)
    if not 1 <= port <= 65_000:
        raise ValueError(given)
    return port


def _pace(given: str) -> float:
    pace = float(given)
    if not 0 <= pace <= 20:
        raise ValueError(given)
    return pace


def _relay_exits(given: str) -> str:
    word = given.lower()
    if word not in RELAY_EXITS:
        raise ValueError(given)
    return word


def _sandbox_chains(given: str) -> tuple[str, ...]:
    if given.strip().lower() == "all":
        return CHAIN_NAMES
    names = {part.strip().lower() for part in given.split(",")} - {""}
    if not names or not names <= set(CHAIN_NAMES):
        raise ValueError(given)
    return tuple(name for name in CHAIN_NAMES if name in names)


def _paper_coins(given: str) -> dict[str, Decimal]:
    """Return whole coins by chain key, "*" for every other chain. "10" is short for "*=10"."""
    coins = dict(PAPER_COINS_DEFAULT)
    for part in given.split(","):
        chain_key, _, amount = part.strip().rpartition("=")
        try:
            number = Decimal(amount)
            if not 0 < number <= _PAPER_COINS_MAX:  # a NaN is refused here too
                raise ValueError(given)
        except InvalidOperation:
            raise ValueError(given) from None
        if chain_key in ("", "*"):
            coins = {"*": number}
        else:
            coins[chain_key] = number
    return coins


def _opinion_sources(given: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (part.strip().lower() for part in given.split(",")))))
    if not set(names) <= set(OPINION_SOURCES):
        raise ValueError(given)
    return names


def _url_of(*schemes: str) -> Callable[[str], str]:
    def convert(given: str) -> str:
        if urlsplit(given).scheme not in schemes:
            raise ValueError(given)
        return given

    return convert


def _signer_url(given: str) -> str:
    """Accept https anywhere and plain http on this machine alone: what is signed is nobody else's business."""
    parts = urlsplit(given)
    is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError(given)
    return given


def _channel_ids(given: str) -> tuple[str, ...]:
    ids = tuple(part.strip() for part in given.split(",") if part.strip())
    if not all(part.isascii() and part.isdigit() for part in ids):
        raise ValueError(given)
    return ids


def _process_memory(given: str) -> int:
    megabytes = int(given)
    if megabytes < PROCESS_MEMORY_MIN_MB:
        raise ValueError(given)
    return megabytes


def _channel_names(given: str) -> tuple[str, ...]:
    names = tuple(part.strip().removeprefix("@") for part in given.split(",") if part.strip())
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{3,31}", part) for part in names):
        raise ValueError(given)
    return names


def _kept_secret(path: Path) -> str:
    """Return the secret stored at ``path``, made at the first start."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    value = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was quicker
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value)
    return value


def _outside_opinions(reader: _Reader) -> dict[str, Any]:
    """Return which outside services are asked about tokens, where, and with which keys."""
    services = {
        "goplus_url": "https://api.gopluslabs.io/api/v1",
        "honeypot_is_url": "https://api.honeypot.is",
        "rugcheck_url": "https://api.rugcheck.xyz/v1",
    }
    read_url, hint = _url_of("http", "https"), "use an http(s) address"
    urls = {
        name: reader.parse(name.upper(), read_url, hint, default=default)
        for name, default in services.items()
    }
    return {
        "opinion_sources": reader.parse(
            "OPINION_SOURCES",
            _opinion_sources,
            f"use some of {', '.join(OPINION_SOURCES)}, separated by commas",
            default=tuple[str, ...](),
        ),
        "honeypot_is_key": reader.secret("HONEYPOT_IS_KEY"),
        "rugcheck_key": reader.secret("RUGCHECK_KEY"),
        **urls,
    }


def _social(reader: _Reader, *, feed_base: str, is_sandbox: bool) -> dict[str, Any]:
    """Return where people's talk is read, and with which tokens; a sandbox has its own chatter."""
    read_url, hint = _url_of("http", "https"), "use an http(s) address"
    services = {
        "x": "https://api.x.com/2",
        "telegram": "https://api.telegram.org",
        "discord": "https://discord.com/api/v10",
    }
    return {
        **{
            f"{name}_url": reader.parse(
                f"{name.upper()}_URL",
                read_url,
                hint,
                default=f"{feed_base}/{name}" if is_sandbox else outside,
            )
            for name, outside in services.items()
        },
        "x_bearer_token": reader.secret("X_BEARER_TOKEN"),
        "telegram_bot_token": reader.secret("TELEGRAM_BOT_TOKEN"),
        "telegram_channels": reader.parse(
            "TELEGRAM_CHANNELS",
            _channel_names,
            "use the names of public channels without @, separated by commas",
            default=tuple[str, ...](),
        ),
        "telegram_api_id": reader.parse(
            "TELEGRAM_API_ID", int, "use the number from my.telegram.org", default=0
        ),
        "telegram_api_hash": reader.secret("TELEGRAM_API_HASH"),
        "telegram_session": reader.secret("TELEGRAM_SESSION"),
        "discord_bot_token": reader.secret("DISCORD_BOT_TOKEN"),
        "discord_channels": reader.parse(
            "DISCORD_CHANNELS",
            _channel_ids,
            "use the numbers of channels, separated by commas",
            default=tuple[str, ...](),
        ),
        "sentiment_onnx": reader.parse(
            "SENTIMENT_ONNX", _folder, "give the path of a folder that is there", default=None
        ),
    }


def _mail_addresses(given: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in given.split(",") if part.strip())
    if not all(part.count("@") == 1 and not set(part) & set(" \r\n<>") for part in found):
        raise ValueError(given)
    return found


def _smtp_security(given: str) -> Literal["starttls", "tls", "none"]:
    if given not in ("starttls", "tls", "none"):
        raise ValueError(given)
    return cast(Literal["starttls", "tls", "none"], given)


def _chat_id(given: str) -> str:
    if not given.removeprefix("-").isdecimal():
        raise ValueError(given)
    return given


def _secret_address(reader: _Reader, name: str) -> str:
    """Return an address that is a secret itself, so that no fault repeats it."""
    given = reader.secret(name)
    try:
        return _signer_url(given) if given else ""
    except ValueError:
        reader.fault(name, "is not usable", "use https://…, or http:// on this machine")
        return ""


def _alerts(reader: _Reader, *, host: str, port: int) -> dict[str, Any]:
    """Return how people are told of alerts, and by which Telegram bot they command."""
    token = reader.secret("ALERT_TELEGRAM_TOKEN")
    if token and token == reader.secret("TELEGRAM_BOT_TOKEN"):
        reader.fault(
            "ALERT_TELEGRAM_TOKEN",
            "is the token that reads groups (TELEGRAM_BOT_TOKEN)",
            "make a second bot: Telegram gives each message to one reader only",
        )
    webhook, webhook_secret = _secret_address(reader, "ALERT_WEBHOOK"), reader.secret("ALERT_WEBHOOK_SECRET")
    if webhook and not webhook_secret:
        reader.fault(
            "ALERT_WEBHOOK_SECRET",
            "a webhook needs a secret to sign with",
            "set DEXSNIPER_ALERT_WEBHOOK_SECRET_FILE",
        )
    recipients: tuple[str, ...] = reader.parse(
        "ALERT_EMAIL_TO", _mail_addresses, "use addresses separated by commas", default=()
    )
    smtp_host = reader.text("SMTP_HOST")
    if recipients and not smtp_host:
        reader.fault("SMTP_HOST", "e-mail needs a mail server", "set DEXSNIPER_SMTP_HOST")
    read_url, hint = _url_of("http", "https"), "use an http(s) address"
    local = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened on
    return {
        "public_url": reader.parse("PUBLIC_URL", read_url, hint, default=f"http://{local}:{port}"),
        "alert_telegram_url": reader.parse(
            "ALERT_TELEGRAM_URL", read_url, hint, default="https://api.telegram.org"
        ),
        "alert_telegram_token": token,
        "alert_telegram_chat": reader.parse(
            "ALERT_TELEGRAM_CHAT", _chat_id, "use the chat's number", default=""
        ),
        "alert_discord_webhook": _secret_address(reader, "ALERT_DISCORD_WEBHOOK"),
        "alert_email_to": recipients,
        "alert_email_from": reader.text("ALERT_EMAIL_FROM", recipients[0] if recipients else ""),
        "smtp_host": smtp_host,
        "smtp_port": reader.parse("SMTP_PORT", _port, "use a port number up to 65000", default=587),
        "smtp_security": reader.parse(
            "SMTP_SECURITY", _smtp_security, "use starttls, tls or none", default="starttls"
        ),
        "smtp_user": reader.text("SMTP_USER"),
        "smtp_password": reader.secret("SMTP_PASSWORD"),
        "alert_webhook": webhook,
        "alert_webhook_secret": webhook_secret,
    }


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError(text)
    return path


def _read() -> Environment:
    reader = _Reader()
    mode = reader.text("MODE", "sandbox").lower()
    if mode not in MODES:
        reader.fault("MODE", f"{mode!r} is not a mode", "use sandbox, paper or live")
        mode = "sandbox"
    data_dir = Path(reader.text("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve() / mode
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reader.fault(
            "DATA_DIR",
            f"cannot create {data_dir}: {error.strerror}",
            "name a folder that this user may write",
        )
    boolean_hint = "use true or false"
    live_trading = reader.parse("LIVE_TRADING", _boolean, boolean_hint, default=False)
    if live_trading and mode != "live":
        reader.fault(
            "LIVE_TRADING",
            f"is true while the mode is {mode}",
            "set DEXSNIPER_MODE=live as well, or leave it out",
        )
    if mode == "live" and not live_trading:
        reader.fault(
            "LIVE_TRADING",
            "live mode needs a second switch",
            "set DEXSNIPER_LIVE_TRADING=true if you mean it",
        )
    keystore_password = reader.secret("KEYSTORE_PASSWORD")
    if mode == "live" and len(keystore_password) < KEYSTORE_PASSWORD_LENGTH_MIN:
        reader.fault(
            "KEYSTORE_PASSWORD",
            f"live mode needs a password of {KEYSTORE_PASSWORD_LENGTH_MIN} characters or more",
            "set DEXSNIPER_KEYSTORE_PASSWORD_FILE",
        )
    if not keystore_password and not reader.faults:
        keystore_password = _kept_secret(data_dir / "keystore.secret")
    secret_key = reader.secret("SECRET_KEY")
    if not secret_key and not reader.faults:
        secret_key = _kept_secret(data_dir / "django.secret")
    host = reader.text("HOST", "127.0.0.1")
    log_level = reader.text("LOG_LEVEL", "INFO").upper()
    if log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        reader.fault("LOG_LEVEL", f"{log_level!r} is not a level", "use DEBUG, INFO, WARNING or ERROR")
    port = reader.parse("PORT", _port, "use a port number up to 65000", default=8001)
    port_base = reader.parse("SANDBOX_PORT_BASE", _port, "use a port number up to 65000", default=18545)
    feed_base = f"http://127.0.0.1:{port_base + 90}"
    is_sandbox = mode == "sandbox"
    database_url = reader.parse(
        "DATABASE_URL",
        _url_of("sqlite", "postgres", "postgresql"),
        "use sqlite:///path or postgres://user:password@host:port/name",
        default=f"sqlite:///{data_dir / 'db.sqlite3'}",
    )
    environment = Environment(
        mode=cast(Mode, mode),
        live_trading=live_trading,
        data_dir=data_dir,
        database_url=database_url,
        redis_url=reader.parse(
            "REDIS_URL", _url_of("redis", "rediss", "unix"), "use redis://host:port/0", default=""
        ),
        secret_key=secret_key,
        keystore_password=keystore_password,
        remote_signer_url=reader.parse(
            "REMOTE_SIGNER_URL", _signer_url, "use https://…, or http:// on this machine", default=""
        ),
        admin_user=reader.text("ADMIN_USER", "admin"),
        admin_password=reader.secret("ADMIN_PASSWORD"),
        metrics_token=reader.secret("METRICS_TOKEN"),
        debug=reader.parse("DEBUG", _boolean, boolean_hint, default=False),
        host=host,
        port=port,
        allowed_hosts=tuple(
            filter(None, reader.text("ALLOWED_HOSTS", f"127.0.0.1,localhost,{host}").split(","))
        ),
        tls=reader.parse("TLS", _boolean, boolean_hint, default=False),
        log_level=log_level,
        log_json=reader.parse("LOG_JSON", _boolean, boolean_hint, default=False),
        autostart=reader.parse("AUTOSTART", _boolean, boolean_hint, default=is_sandbox),
        process_memory_max_mb=reader.parse(
            "PROCESS_MEMORY_MAX_MB", _process_memory, "use megabytes, 300 or more", default=1_500
        ),
        relay_exits=reader.parse("RELAY_EXITS", _relay_exits, "use stay or leak", default=""),
        sandbox_seed=reader.parse("SANDBOX_SEED", int, "use a whole number", default=1),
        sandbox_pace=reader.parse("SANDBOX_PACE", _pace, "use new pairs a second, 0 to 20", default=0.5),
        sandbox_port_base=port_base,
        sandbox_chains=reader.parse(
            "SANDBOX_CHAINS",
            _sandbox_chains,
            f"use all, or some of {', '.join(CHAIN_NAMES)}, separated by commas",
            default=CHAIN_NAMES_DEFAULT,
        ),
        dexscreener_url=reader.parse(
            "DEXSCREENER_URL",
            _url_of("http", "https"),
            "use an http(s) address",
            default=feed_base + "/dexscreener" if is_sandbox else "https://api.dexscreener.com",
        ),
        geckoterminal_url=reader.parse(
            "GECKOTERMINAL_URL",
            _url_of("http", "https"),
            "use an http(s) address",
            default=feed_base + "/geckoterminal" if is_sandbox else "https://api.geckoterminal.com/api/v2",
        ),
        klines_url=reader.parse(
            "KLINES_URL",
            _url_of("http", "https"),
            "use an http(s) address",
            default=feed_base + "/binance" if is_sandbox else "https://data-api.binance.vision",
        ),
        coingecko_url=reader.parse(
            "COINGECKO_URL",
            _url_of("http", "https"),
            "use an http(s) address",
            default="" if is_sandbox else "https://api.coingecko.com/api/v3",
        ),
        coingecko_key=reader.secret("COINGECKO_KEY"),
        **_outside_opinions(reader),
        **_social(reader, feed_base=feed_base, is_sandbox=is_sandbox),
        **_alerts(reader, host=host, port=port),
        paper_coins=reader.parse(
            "PAPER_COINS",
            _paper_coins,
            "use coins above 0 for all chains (5) or for some (*=5,eip155:137=100000)",
            default=dict(PAPER_COINS_DEFAULT),
        ),
    )
    if reader.faults:
        raise EnvironmentFaults(reader.faults)
    return environment


_cached: Environment | None = None


def load() -> Environment:
    """Return the checked environment, read once. Raises EnvironmentFaults naming every fault at once."""
    global _cached
    if _cached is None:
        _cached = _read()
    return _cached


def name_settings() -> None:
    """Tell Django where its settings are, without reading anything yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dexsniper.settings")


def prepare() -> Environment:
    """Check the environment and name the settings module for Django."""
    name_settings()
    return load()


def child_environment(**changes: str) -> dict[str, str]:
    """Return the process environment for a child, with changes."""
    return {**os.environ, **changes}
