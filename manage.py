#!/usr/bin/env python3
"""Command-line entry point."""

import sys

from dexsniper.env import EnvironmentFaults, prepare


def main() -> None:
    """Check the environment, then run a management command."""
    try:
        prepare()
    except EnvironmentFaults as faults:
        sys.stderr.write(f"{faults}\n")
        sys.exit(78)  # EX_CONFIG
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
