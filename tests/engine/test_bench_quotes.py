"""The bench of quotes reports what its readers rely on."""

from __future__ import annotations

from apps.engine.bench.quotes import run


def test_quotes_when_measured_then_reported_in_microseconds() -> None:
    report = run()
    assert report["name"] == "quotes"
    figures = report["figures"]
    assert 0 < figures["v2_us"] < figures["v3_three_ticks_us"]
    assert 0 < figures["v3_one_range_us"] < figures["v3_three_ticks_us"]
    assert set(report["baseline"]) == {"degenbot_v2_us", "degenbot_v3_one_step_us", "eth_defi_v2_us"}
