"""How long one waits for `pellucid --help`: wall time beside that of Python doing nothing.

Claim: help, version and the list of networks come without torch. Times depend on the machine, so
each is also given as a multiple of `python -c pass` in the same run; best of several rounds.

    python benchmarks/import_time.py [rounds]
"""

import subprocess
import sys
import time

SHELL = "from pellucid.app.cli import main; import sys; sys.argv = {!r}; main()"
CASES = {
    "python -c pass": "pass",
    "import pellucid": "import pellucid",
    "pellucid --version": SHELL.format(["pellucid", "--version"]),
    "pellucid --help": SHELL.format(["pellucid", "--help"]),
    "pellucid networks": SHELL.format(["pellucid", "networks"]),
    "import torch": "import torch",
    "pellucid saliency --help": SHELL.format(["pellucid", "saliency", "--help"]),
}


def seconds(code: str) -> float:
    """Wall time of a fresh Python that runs the code."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main(rounds: int) -> None:
    """Rounds go through all cases, so that a busy moment meets them alike."""
    best = dict.fromkeys(CASES, float("inf"))
    for _ in range(rounds):
        for name, code in CASES.items():
            best[name] = min(best[name], seconds(code))
    idle = best["python -c pass"]
    print(f"{'':26}{'seconds':>8}{'times':>8}   best of {rounds}")
    for name, found in best.items():
        print(f"{name:26}{found:8.2f}{found / idle:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
