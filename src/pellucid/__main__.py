"""What the shell calls as `pellucid`, and as `python -m pellucid` where that is not on the path."""

import sys

INTERRUPTED = 130  # what shells give for Ctrl-C
STOPPED = "stopped; nothing was saved"


def main() -> None:
    """Runs the command line; importing it takes long enough for a Ctrl-C of its own."""
    try:
        from pellucid.app.cli import main as start

        start()
    except KeyboardInterrupt:
        print(f"error: {STOPPED}", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
