"""The Telegram bot: obeys one person, each command once, the kill switch always."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.alerts.models import BotBinding, DeniedChat
from apps.alerts.services import pairing
from apps.alerts.telegram.bot import COMMAND_AGE_MAX_S, COMMANDS_PER_MIN, DATABASE_RETRY_S, Bot
from apps.alerts.telegram.verbs import BY_NAME, SELL_ALL_WORD
from apps.alerts.transports.port import DeliveryFailedError
from apps.alerts.transports.telegram import TelegramApi
from apps.domain.engine import EngineStatus
from apps.domain.events import EventKind
from apps.state import permissions
from apps.state.models import Event, Incident
from apps.state.services.engine import engine_start, engine_view, killswitch_pull
from apps.state.services.second_factor import vouch
from apps.trading.models import Position
from tests import factories as f
from tests.alerts.fakes import TOKEN, Service, update

pytestmark = pytest.mark.django_db

ADA, STRANGER = 41, 66
ALL = (
    permissions.LOOK,
    permissions.LOOK_POSITIONS,
    permissions.LOOK_INCIDENTS,
    permissions.LOOK_CONFIGURATION,
    permissions.OPERATE,
    permissions.KILL,
    permissions.RESUME,
    permissions.TRADE,
)


def person(*held: str) -> Any:
    user = f.UserFactory(username="ada")
    for permission in held:
        app_label, _, codename = permission.partition(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return user


class Talk:
    """A person and strangers who write to the bot."""

    def __init__(self, service: Service, bot: Bot) -> None:
        self.service, self.bot, self.number = service, bot, 100

    def write(self, *texts: str, chat: int = ADA, age_s: int = 0, kind: str = "private") -> None:
        for text in texts:
            self.number += 1
            at_s = int(time.time()) - age_s
            self.service.updates.append(update(self.number, text, chat=chat, at_s=at_s, kind=kind))

    def heard(self, *texts: str, **options: Any) -> str:
        """Write, let the bot hear and obey, and return its last answer as it reads."""
        self.write(*texts, **options)
        before = len(self.service.said)
        self.bot.poll(wait_s=0)
        self.bot.obey_waiting()
        if len(self.service.said) == before:
            return ""
        return html.unescape(re.sub(r"<[^>]*>", "", self.service.last))


def bot_of(service: Service, *, clock: Callable[[], float] = time.time) -> Bot:
    api = TelegramApi(base_url=service.url, token=TOKEN)
    return Bot(api=api, stopping=threading.Event(), clock=clock)


@pytest.fixture
def talk(installed: None, service: Service) -> Talk:
    return Talk(service, bot_of(service))


@pytest.fixture
def paired(talk: Talk) -> Talk:
    code = pairing.pairing_begin(user=person(*ALL))
    assert talk.heard(f"/start {code}").startswith("Paired.")
    return talk


def commands() -> list[tuple[str, str]]:
    rows = Event.objects.filter(kind=EventKind.BOT_COMMAND.value).order_by("id")
    return [(row.actor, row.summary) for row in rows]


# -- pairing --------------------------------------------------------------------------------


def test_stranger_then_denied_recorded_once_and_answered_once(talk: Talk):
    assert "not you" in talk.heard("/kill", "/start", "/status", chat=STRANGER)
    assert len(talk.service.said) == 1
    assert DeniedChat.objects.get().count == 3
    assert len(commands()) == 1
    assert engine_view().status is EngineStatus.STOPPED


def test_code_when_right_then_binds_once_and_nobody_else_after(talk: Talk):
    code = pairing.pairing_begin(user=person(*ALL))
    assert talk.heard(f"/pair {code.lower()}").startswith("Paired.")
    assert talk.heard(f"/pair {code}", chat=STRANGER) == "This bot obeys one person, and that is not you."
    row = BotBinding.objects.get()
    assert (row.chat_id, row.user.get_username(), row.code_digest) == (ADA, "ada", "")  # type: ignore[union-attr]
    assert code not in str(list(Event.objects.values_list("summary", "payload")))


def test_code_when_too_old_or_in_a_group_then_nobody_is_paired(talk: Talk):
    code = pairing.pairing_begin(user=person())
    talk.heard(f"/pair {code}", chat=-100, kind="group")
    BotBinding.objects.update(code_until=timezone.now() - timedelta(seconds=1))
    talk.heard(f"/pair {code}")
    assert BotBinding.objects.get().chat_id is None


def test_code_when_guessed_at_then_void_after_few_tries(talk: Talk):
    code = pairing.pairing_begin(user=person())
    talk.heard(*["/pair ABCDEFGHJK"] * pairing.CODE_FAILURES_MAX, chat=STRANGER)
    talk.heard(f"/pair {code}")
    assert BotBinding.objects.get().chat_id is None


def test_paired_person_when_a_code_is_wrong_then_the_engine_is_not_started_by_it(paired: Talk):
    assert "not right" in paired.heard("/start ABCDEFGHJK")
    assert engine_view().status is EngineStatus.STOPPED


def test_pairing_when_ended_then_denied(paired: Talk):
    assert pairing.pairing_end(by="ada")
    assert "not you" in paired.heard("/stop")


def test_group_with_the_person_in_it_then_denied(paired: Talk):
    paired.heard("/kill", chat=-5, kind="group")
    assert engine_view().status is EngineStatus.STOPPED


# -- verbs ----------------------------------------------------------------------------------


def test_every_verb_of_the_issue_is_there_and_none_moves_coins():
    assert set(BY_NAME) == {
        *("start", "stop", "stopentry", "status", "profit", "daily", "balance", "performance", "count"),
        *("forceexit", "reload_config", "show_config", "health", "kill", "help"),
    }


def test_verbs_that_look_then_answer_from_rows_without_secrets(paired: Talk, settings: Any):
    settings.ENV = replace(settings.ENV, alert_webhook_secret="hidden-secret")
    position = f.PositionFactory(status="open", marked_at=timezone.now())
    f.PositionFactory(status="closed", realised_usd_micros=12_340_000)
    f.IncidentFactory(severity="critical", title="It <b>broke</b>")
    words = {
        "/status": str(position.pk),
        "/profit": "+12.34 USD",
        "/daily 3": "By day",
        "/balance": "Balances",
        "/performance": "By token",
        "/count": "of 60",
        "/reload_config": "Revision 1",
        "/show_config exits": "exits.stop_loss_bps = 2000",
        "/show_config": "limits.position_max_usd",
        "/health": "It <b>broke</b>",
        "/help": "/forceexit",
    }
    for text, word in words.items():
        answer = paired.heard(text)
        assert word in answer, text
        assert "hidden-secret" not in answer


def test_start_stop_and_stopentry_then_done_recorded_and_refused_in_words(paired: Talk):
    assert "running" in paired.heard("/start")
    assert "paused" in paired.heard("/stopentry lunch")
    assert "stopped" in paired.heard("/stop")
    assert engine_view().changed_by == "telegram:ada"
    assert ("telegram:ada", "/stopentry lunch: done") in commands()
    assert "do not understand" in paired.heard("/withdraw all")


def test_start_after_a_kill_then_asks_for_a_reason(paired: Talk):
    killswitch_pull(by="x", reason="drill", close_positions=False)
    assert "what was found" in paired.heard("/start")
    assert "running" in paired.heard("/start all is mended")
    assert engine_view().reason == "all is mended"


def test_verb_without_its_permission_then_not_done_and_recorded(talk: Talk):
    code = pairing.pairing_begin(user=person(permissions.LOOK))
    talk.heard(f"/pair {code}")
    for text in ("/kill", "/start", "/forceexit 1", "/status", "/show_config"):
        assert talk.heard(text) == "Your account may not do that.", text
    assert engine_view().status is EngineStatus.STOPPED
    assert ("telegram:ada", "/kill: not allowed") in commands()


def test_person_with_a_second_factor_then_acts_only_if_it_stood_behind_the_pairing(talk: Talk):
    user = person(*ALL)
    TOTPDevice.objects.create(user=user, confirmed=True)
    talk.heard(f"/pair {pairing.pairing_begin(user=user)}")
    assert "second factor" in talk.heard("/start")
    assert "Open positions" in talk.heard("/status")
    talk.heard(f"/pair {pairing.pairing_begin(user=vouch(user))}")
    assert "running" in talk.heard("/start")
    BotBinding.objects.update(is_vouched=False)
    assert "Kill switch pulled" in talk.heard("/kill")


def test_person_who_was_deactivated_then_denied(paired: Talk):
    get_user_model().objects.update(is_active=False)
    paired.heard("/kill")
    assert engine_view().status is EngineStatus.STOPPED


def test_force_exit_of_one_then_asked_for_and_unknown_ones_refused(paired: Talk):
    position = f.PositionFactory(status="open")
    assert "was asked for" in paired.heard(f"/forceexit {position.pk}")
    position.refresh_from_db()
    assert position.ordered_tag == "force_exit"
    assert "none" in paired.heard("/forceexit 999999")
    assert "Say /forceexit" in paired.heard("/forceexit ½")


def test_force_exit_of_all_then_only_with_the_word_once_and_in_time(paired: Talk):
    f.PositionFactory.create_batch(2, status="open")
    assert "Nothing waits" in paired.heard(SELL_ALL_WORD)
    assert SELL_ALL_WORD in paired.heard("/forceexit all")
    assert not Position.objects.filter(ordered_tag="force_exit").exists()
    assert "sale of 2 positions" in paired.heard("sell all")
    assert "Nothing waits" in paired.heard(SELL_ALL_WORD)
    paired.heard("/forceexit all")
    BotBinding.objects.update(asked_until=timezone.now() - timedelta(seconds=1))
    assert "Nothing waits" in paired.heard(SELL_ALL_WORD)


# -- the kill switch ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("/kill", EngineStatus.EMERGENCY_STOPPED),
        ("/kill@sniper_bot leave", EngineStatus.EMERGENCY_STOPPED),
        ("/KILL close", EngineStatus.CLOSING),
        ("/kill now!", EngineStatus.EMERGENCY_STOPPED),
    ],
)
def test_kill_then_at_once_recorded_and_answered(paired: Talk, text: str, status: EngineStatus):
    engine_start(by="x", reason="")
    paired.write(text)
    paired.bot.poll(wait_s=0)  # without any worker that obeys
    assert engine_view().status is status
    assert "Kill switch pulled" in paired.service.last
    assert commands()[-1][1].startswith("/kill: done")


@pytest.mark.parametrize("lacks", ["permission to trade", "second factor"])
def test_kill_that_sells_when_the_person_may_not_sell_then_pulled_and_positions_left(talk: Talk, lacks: str):
    user = person(*(set(ALL) - {permissions.TRADE} if "trade" in lacks else ALL))
    talk.heard(f"/pair {pairing.pairing_begin(user=user)}")
    if lacks == "second factor":
        TOTPDevice.objects.create(user=user, confirmed=True)
    engine_start(by="x", reason="")
    talk.write("/kill close")
    talk.bot.poll(wait_s=0)
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert "Kill switch pulled" in talk.service.last
    assert "Positions were left" in talk.service.last
    assert lacks in talk.service.last


def test_kill_when_said_behind_much_else_then_before_all_of_it(paired: Talk):
    paired.write(*["/daily"] * 40, "/kill")
    paired.bot.poll(wait_s=0)
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


def test_kill_when_the_database_refuses_to_note_it_then_pulled_all_the_same(paired: Talk, monkeypatch):
    def refuses(**_: Any) -> bool:
        raise OperationalError("database is locked")

    paired.write("/status", "/kill")
    monkeypatch.setattr(BotBinding.objects, "filter", refuses)
    with pytest.raises(OperationalError):
        paired.bot.poll(wait_s=0)
    monkeypatch.undo()
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    epoch = engine_view().epoch
    paired.bot.poll(wait_s=0)  # what was not noted comes again, and is not done again
    assert engine_view().epoch == epoch


class Patience(threading.Event):
    """Lets the bot listen until it has waited so many times, and keeps for how long each was meant to be."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if len(self.waits) >= self.times:
            self.set()
        return self.is_set()


def waits_of(talk: Talk, *, times: int) -> list[float | None]:
    patience = Patience(times)
    Bot(api=TelegramApi(base_url=talk.service.url, token=TOKEN), stopping=patience)._listen()
    return patience.waits


@pytest.mark.django_db(transaction=True)  # the bot closes old connections
def test_listening_while_the_database_is_locked_then_asked_every_second_and_nothing_written(
    paired: Talk, monkeypatch
):
    def refuses(**_: Any) -> bool:
        raise OperationalError("database is locked")

    paired.write("/status")
    with monkeypatch.context() as patch:
        patch.setattr(BotBinding.objects, "filter", refuses)
        assert waits_of(paired, times=5) == [DATABASE_RETRY_S] * 5
    assert not Incident.objects.exists()


@pytest.mark.django_db(transaction=True)  # the bot closes old connections
def test_listening_without_a_network_then_waits_ever_longer_and_a_person_is_told(paired: Talk):
    paired.service.faults = [(502, {}, {})] * 4
    assert waits_of(paired, times=4) == [1.0, 2.0, 4.0, 8.0]
    assert Incident.objects.get().code == "BOT_NOT_HEARD"


def test_kill_when_it_fails_then_tried_again_and_answered(paired: Talk, settings: Any):
    engine_start(by="x", reason="")
    folder, settings.DATA_DIR = settings.DATA_DIR, settings.DATA_DIR / "file"
    settings.DATA_DIR.write_text("a folder is expected here")
    paired.write("/kill")
    with pytest.raises(OSError, match="file"):
        paired.bot.poll(wait_s=0)
    settings.DATA_DIR = folder
    paired.bot.poll(wait_s=0)
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert "Kill switch pulled" in paired.service.last


# -- once, in time, not too much ------------------------------------------------------------


def test_command_then_never_run_twice_also_after_a_restart(paired: Talk):
    paired.heard("/start")
    paired.heard("/stop")
    kept = [update(paired.number - 1, "/start", chat=ADA, at_s=int(time.time()))]
    paired.service.updates = list(kept)
    reborn = bot_of(paired.service)
    reborn.poll(wait_s=0)
    reborn.handle(kept[0])
    assert reborn.obey_waiting() == 0
    assert engine_view().status is EngineStatus.STOPPED


def test_command_that_was_said_while_the_bot_was_away_then_not_done_but_the_kill_is(paired: Talk):
    assert "is not done" in paired.heard("/start", age_s=COMMAND_AGE_MAX_S + 60)
    assert engine_view().status is EngineStatus.STOPPED
    paired.heard("/kill", age_s=3_600)
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


def test_too_many_commands_then_said_once_and_the_kill_passes(paired: Talk):
    now = time.time()
    paired.bot = bot_of(paired.service, clock=lambda: now)  # a slow machine gives no further leave
    answer = paired.heard(*["/count"] * (COMMANDS_PER_MIN + 10))
    assert answer.startswith("Too much at once")
    assert len(paired.service.said) == 1 + COMMANDS_PER_MIN + 1
    paired.heard("/kill")
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


@pytest.mark.parametrize(
    "odd",
    [{"update_id": 500}, {"update_id": 501, "message": {"chat": 3}}, {"message": None}, {"update_id": "x"}],
)
def test_update_of_an_unknown_shape_then_passed_over(paired: Talk, odd: dict[str, Any]):
    paired.service.updates = []
    paired.bot.handle(odd)
    assert paired.bot.obey_waiting() == 0


def test_network_loss_then_asks_again_from_where_it_was(paired: Talk):
    paired.service.faults = [(502, {}, {})]
    paired.write("/start")
    with pytest.raises(DeliveryFailedError):
        paired.bot.poll(wait_s=0)
    assert "running" in paired.heard()
