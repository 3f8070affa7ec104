"""The questions of a first run, asked at a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dexsniper import env
from dexsniper.env import BASE_DIR, child_environment

_TIMEOUT_S = 60.0
_PRESSES_MAX, _PRESS_EVERY_S = 20, 1.0
PASSWORD = "a long enough password"


class Terminal:
    """``manage.py setup`` at a pseudo-terminal: what a person sees and types."""

    def __init__(self, *arguments: str, home: Path) -> None:
        command = [sys.executable, str(BASE_DIR / "manage.py"), "setup", "--no-color", *arguments]
        environment = child_environment(HOME=str(home), DEXSNIPER_DATA_DIR=str(home / "data"))
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            signal.signal(
                signal.SIGINT, signal.SIG_DFL
            )  # a gate run in the background hands down that it is ignored
            os.execve(command[0], command, environment)
        self.seen = ""
        self._read = 0  # how far `answer` has come
        self._code: int | None = None

    def answer(self, question: str, text: str) -> None:
        """Wait for the question, then type the text."""
        self._until(question)
        os.write(self._terminal, f"{text}\n".encode())

    def press(self, question: str, key: bytes) -> None:
        """Wait for the question, then press the key until something more than its echo is said.

        A signal that comes between the prompt and the read is seen by Python only at the next one, as with people.
        """
        self._until(question)
        for _ in range(_PRESSES_MAX):
            os.write(self._terminal, key)
            while select.select([self._terminal], [], [], _PRESS_EVERY_S)[0]:
                if not self._more() or "Nothing" in self.seen[self._read :]:
                    return

    def code(self) -> int:
        """Read to the end and return the exit code."""
        if self._code is None:
            while self._more():
                pass
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._terminal)
        return self._code

    def close(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.code()

    def _until(self, text: str) -> None:
        while text not in self.seen[self._read :]:
            assert self._more(), f"{text!r} was not asked: {self.seen}"
        self._read = self.seen.index(text, self._read) + len(text)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], _TIMEOUT_S)
        assert ready, f"nothing was said: {self.seen}"
        try:
            data = os.read(self._terminal, 4_096)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode()
        return bool(data)


Sit = Callable[..., Terminal]


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Sit]:
    """Yield what opens a terminal; every one is closed at the end."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal("--file", str(tmp_path / ".env"), *arguments, home=tmp_path))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> env.Environment:
    """Read the file that was written as the system does."""
    for name in list(child_environment()):
        if name.startswith(env.PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setattr(env, "BASE_DIR", tmp_path)
    return env._read()


def test_everything_left_at_its_default_then_sandbox(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = sit()
    terminal.answer("Mode (sandbox, paper, live) [sandbox]:", "")
    terminal.answer("Port of the web page [8001]:", "")
    assert terminal.code() == 0, terminal.seen
    assert "make run" in terminal.seen
    file = tmp_path / ".env"
    assert file.read_text() == "DEXSNIPER_MODE=sandbox\nDEXSNIPER_PORT=8001\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_back(tmp_path, monkeypatch).is_sandbox


def test_live_then_password_hidden_kept_apart_and_read_back(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = sit()
    terminal.answer("Mode", "LIVE")
    terminal.answer("Port", "8123")
    terminal.answer("Type LIVE to go on:", "LIVE")
    terminal.answer("Keystore password", PASSWORD)
    terminal.answer("Once more:", PASSWORD)
    terminal.answer("Such a sale (stay, leak):", "leak")
    terminal.answer("Folder for the password file", str(tmp_path / "my secrets"))
    assert terminal.code() == 0, terminal.seen
    assert PASSWORD not in terminal.seen
    assert PASSWORD not in (tmp_path / ".env").read_text()
    [file] = (tmp_path / "my secrets").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    environment = read_back(tmp_path, monkeypatch)
    assert (environment.mode, environment.live_trading, environment.port) == ("live", True, 8123)
    assert environment.keystore_password == PASSWORD
    assert environment.relay_exits == "leak"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"Mode": "demo"}, "'demo' is not one of"),
        ({"Mode": "paper", "Port": "80x"}, "'80x' is not a port number"),
        ({"Mode": "paper", "Port": "70000"}, "'70000' is not a port number"),
        ({"Mode": "live", "Port": "", "Type LIVE": "yes"}, "Nothing was written"),
        ({"Mode": "live", "Port": "", "Type LIVE": "LIVE", "Keystore": "short"}, "fewer than 12"),
        (
            {"Mode": "live", "Port": "", "Type LIVE": "LIVE", "Keystore": PASSWORD, "Once more": "other"},
            "differ",
        ),
        (
            {
                "Mode": "live",
                "Port": "",
                "Type LIVE": "LIVE",
                "Keystore": PASSWORD,
                "Once more": PASSWORD,
                "Such a sale": "",
            },
            "'' is not one of stay, leak",
        ),
    ],
)
def test_senseless_answer_then_told_and_nothing_written(
    sit: Sit, tmp_path: Path, typed: dict[str, str], message: str
) -> None:
    terminal = sit()
    for question, text in typed.items():
        terminal.answer(question, text)
    assert terminal.code() == 1
    assert message in terminal.seen
    assert "Nothing was written" in terminal.seen
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["ctrl-c", "ctrl-d"])
def test_given_up_in_the_middle_then_nothing_written_and_no_traceback(
    sit: Sit, tmp_path: Path, key: bytes
) -> None:
    terminal = sit()
    terminal.answer("Mode", "paper")
    terminal.press("Port", key)
    assert terminal.code() == 1
    assert "Nothing was written" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert not (tmp_path / ".env").exists()


def test_file_there_already_then_kept_unless_forced(sit: Sit, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MINE=1\n")
    file.chmod(0o644)
    assert sit("--mode", "paper").code() == 1
    assert file.read_text() == "MINE=1\n"
    forced = sit("--mode", "paper", "--force")
    assert forced.code() == 0, forced.seen
    assert file.read_text() == "DEXSNIPER_MODE=paper\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_nobody_to_ask_then_the_way_out_is_named(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "manage.py", "setup", "--file", str(tmp_path / ".env")],
        cwd=BASE_DIR,
        env=child_environment(DEXSNIPER_DATA_DIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 1
    assert "give --mode" in process.stderr
    assert "Traceback" not in process.stderr
