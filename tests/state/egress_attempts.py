"""Run by test_egress in a process of its own: tries ways out and prints what became of each as JSON."""

# ruff: noqa: E402  # the fence stands once Django is up

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dexsniper.settings")

import django

django.setup()

import requests
from django.core.management import call_command
from websockets.asyncio.client import connect

from apps.chains.models import Chain, Endpoint
from apps.state import egress


class Redirects(BaseHTTPRequestHandler):
    """A configured service that was taken over."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://evil.example/steal")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def outcome(act: Any) -> str:
    try:
        act()
    except egress.EgressRefusedError:
        return "refused"
    except requests.ConnectionError as error:
        return "refused" if "no configured host" in str(error) else "unreachable"
    except OSError as error:
        return "refused" if "no configured host" in str(error) else "unreachable"
    return "done"


async def _stream(host: str) -> None:
    await asyncio.wait_for(asyncio.open_connection(host, 9), 3)


async def _socket() -> None:
    async with connect("ws://evil.example/", open_timeout=3, proxy=None):
        pass


def main() -> None:
    call_command("migrate", verbosity=0)
    server = HTTPServer(("127.0.0.1", 0), Redirects)
    Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}/"
    chain = Chain.objects.create(
        key="eip155:1",
        name="x",
        chain_id=1,
        native_symbol="x",
        wrapped_native_address="x",
        wrapped_native_symbol="x",
    )
    Endpoint.objects.create(chain=chain, url_http="https://rpc.invalid/v2/key", url_ws="wss://stream.invalid")
    results = {
        "loopback": outcome(lambda: requests.get(here, timeout=3, allow_redirects=False)),
        "redirect": outcome(lambda: requests.get(here, timeout=3)),
        "planted name": outcome(lambda: requests.get("http://evil.example/", timeout=3)),
        "planted address": outcome(lambda: requests.get("http://192.0.2.7/", timeout=3)),
        "cloud metadata": outcome(lambda: socket.create_connection(("169.254.169.254", 80), 1)),
        "plain socket": outcome(lambda: socket.socket().connect(("192.0.2.7", 80))),
        "datagram": outcome(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.7", 53))),
        "asyncio": outcome(lambda: asyncio.run(_stream("192.0.2.7"))),
        "websocket": outcome(lambda: asyncio.run(_socket())),
        "name service": outcome(lambda: socket.getaddrinfo("evil.example", 80)),
        "name like ours": outcome(lambda: socket.getaddrinfo("localhost%.evil.example", 80)),
    }
    print(
        json.dumps(
            {
                "outcomes": results,
                "allowed": [
                    egress.is_allowed(url)
                    for url in (
                        "https://rpc.invalid/x",
                        "wss://stream.invalid",
                        "https://api.dexscreener.com/a",
                    )
                ],
                "not allowed": egress.is_allowed("https://rpc.invalid.evil.example"),
            }
        )
    )
    sys.stdout.flush()


main()
