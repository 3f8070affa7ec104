"""The frame of every page: the engine's word, the way to the kill switch, and nothing a strict policy forbids."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template.loader import get_template, render_to_string

from apps.domain.engine import EngineStatus, EngineView, Mode

TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
SHARED = [path for path in TEMPLATES if path.parent.name == "templates" or path.parent.name == "registration"]


def engine(
    status: EngineStatus, *, mode: Mode = "sandbox", reason: str = "", degraded: tuple[str, ...] = ()
) -> EngineView:
    return EngineView(
        mode=mode, status=status, epoch=7, reason=reason, changed_by="ada", changed_at_ms=0, degraded=degraded
    )


def status_line(view: EngineView | None, mode: Mode = "sandbox") -> str:
    chain = SimpleNamespace(name="Base", head_at_ms=0, stale_after_ms=1, reason="")
    return " ".join(
        re.sub(
            r"<[^>]*>",
            "",
            render_to_string("_status_line.html", {"mode": mode, "engine": view, "chains": [chain]}),
        ).split()
    )


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (engine(EngineStatus.RUNNING), "Running entries and exits epoch 7"),
        (engine(EngineStatus.PAUSED), "Paused no new entries, exits go on epoch 7"),
        (engine(EngineStatus.PAUSED, reason="lunch"), "Paused no new entries, exits go on: lunch"),
        (engine(EngineStatus.STOPPED), "Stopped looks and records: no entries, no exits"),
        (engine(EngineStatus.CLOSING), "Closing all sells everything, buys nothing"),
        (
            engine(EngineStatus.EMERGENCY_STOPPED, reason="rugs"),
            "EMERGENCY STOPPED nothing is signed or sent: rugs",
        ),
        (
            engine(EngineStatus.RUNNING, degraded=("broker unreachable",)),
            "Running, degraded broker unreachable",
        ),
        (
            engine(EngineStatus.EMERGENCY_STOPPED, degraded=("broker unreachable",)),
            "EMERGENCY STOPPED nothing is signed or sent",
        ),
        (None, "State unknown its record cannot be read"),
    ],
)
def test_status_line_says_in_words_what_the_engine_does(view, sentence):
    assert sentence in status_line(view)


@pytest.mark.parametrize(
    ("mode", "word"), [("sandbox", "SANDBOX: simulated market"), ("paper", "PAPER"), ("live", "LIVE")]
)
def test_status_line_begins_with_the_mode(mode, word):
    assert status_line(engine(EngineStatus.RUNNING), mode).startswith(word)


def test_hostile_reason_is_harmless():
    markup = render_to_string(
        "_status_line.html",
        {
            "mode": "live",
            "engine": engine(EngineStatus.PAUSED, reason="<script>alert(1)</script>"),
            "chains": [],
        },
    )
    assert "<script" not in markup


@pytest.mark.parametrize("status", list(EngineStatus), ids=str)
def test_kill_switch_is_there_in_every_state_but_the_one_it_made(status):
    markup = render_to_string("_kill_control.html", {"engine": engine(status)})
    assert ("KILL" in markup) == (status is not EngineStatus.EMERGENCY_STOPPED)
    assert ('href="#resume-dialog"' in markup) == (status is EngineStatus.EMERGENCY_STOPPED)


def test_kill_switch_is_there_when_the_engine_cannot_be_read():
    assert "KILL" in render_to_string("_kill_control.html", {"engine": None})


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_that_the_content_policy_forbids(path):
    source = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", source), "style attributes are blocked: use a class"
    assert not re.search(r"<style", source)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", source), "inline handlers are blocked: use app.js"
    assert not re.search(r"hx-on|hx-vals\s*=\s*[\"']js:", source), "htmx may not evaluate"
    for attributes in re.findall(r"<script([^>]*)>", source):
        assert "src=" in attributes or "application/json" in attributes
    assert not re.search(r"(src=|<link[^>]*href=)\"(https?:)?//", source), "assets come from this machine"


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_shared_templates_compile(path):
    get_template(str(path.relative_to(Path(settings.BASE_DIR) / "templates")))


@pytest.mark.parametrize("name", ["500.html", "404.html", "403.html"])
def test_error_pages_stand_without_any_context(name):
    markup = render_to_string(name)
    assert "<h1>" in markup
    assert "app.css" in markup


def test_style_sheet_is_small_and_loads_nothing():
    css = (Path(settings.BASE_DIR) / "static" / "css" / "app.css").read_text()
    assert "url(" not in css
    assert "@import" not in css
