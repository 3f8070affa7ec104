"""``make audit``: asks the registry for known holes in the pinned packages, and passes where it does not answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LIMIT_S = 300
#: What pip-audit says when nobody answers; whatever else makes it fail is a finding.
_AWAY = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "SSLError",
    "Could not connect",
    "Max retries exceeded",
    "Failed to establish",
    "ServiceError",
)


def audit(requirements: Path) -> int:
    """Return 0 when nothing is known against the packages, or nobody could be asked; 1 for holes."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"),
        *("--format", "json"),
        *("--timeout", "10", "-r", str(requirements)),
    ]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"audit: the registry did not answer within {LIMIT_S} s; nothing was audited.\n")
        return 0
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(word in done.stderr for word in _AWAY):
            sys.stderr.write("audit: the registry does not answer; nothing was audited.\n")
            return 0
        sys.stderr.write(done.stderr)
        return 1
    holes = [(item, hole) for item in packages for hole in item.get("vulns", ())]
    for item, hole in holes:
        mended = ", ".join(hole.get("fix_versions", ())) or "no version yet"
        sys.stdout.write(f"{item['name']} {item.get('version', '')}: {hole['id']}, mended in {mended}\n")
    left_out = sum("skip_reason" in item for item in packages)
    sys.stdout.write(f"audit: {len(packages) - left_out} packages looked up, {len(holes)} holes known")
    sys.stdout.write(f"; the registry could not tell of {left_out}.\n" if left_out else ".\n")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(audit(Path(sys.argv[1])))
