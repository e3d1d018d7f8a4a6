"""How smoothly do the page of a map and a wall move? Frames a second in a browser without a window.

    pellucid atlas map ATLAS --page map.html && pellucid atlas wall ATLAS wall
    python benchmarks/pages.py map.html wall/index.html

Needs playwright and Debian's chromium. Without a GPU: with one it should be smoother. 60 is the
most that a browser shows.
"""

import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE, TALL, TURNS, MOVES = 1400, 900, 10, 40
WATCH = """() => {
  window.times = [];
  const note = now => { window.times.push(now); requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""


def frames(page: Any, act: Callable[[], None]) -> str:
    """Frames a second while something is done, and the longest that one was awaited."""
    page.evaluate("window.times.length = 0")
    act()
    times = page.evaluate("window.times.slice()")
    steps = [after - before for before, after in pairwise(times)]
    return f"{1e3 * len(steps) / sum(steps):3.0f} frames/s, longest {max(steps):4.0f} ms"


def main() -> None:
    """Prints a line for each page and way to move."""
    chromium = shutil.which("chromium")
    if len(sys.argv) < 2 or not chromium:
        sys.exit(__doc__)
    with sync_playwright() as start:
        browser = start.chromium.launch(executable_path=chromium, args=FLAGS)
        for file in sys.argv[1:]:
            page = browser.new_page(viewport={"width": WIDE, "height": TALL})
            page.goto(Path(file).resolve().as_uri())
            page.wait_for_timeout(3000)
            page.evaluate(WATCH)
            page.mouse.move(WIDE / 2, TALL / 2)

            def turned(way: int, page: Any = page) -> None:
                for _ in range(TURNS):
                    page.mouse.wheel(0, way * 120)
                    page.wait_for_timeout(80)

            def dragged(page: Any = page) -> None:
                page.mouse.down()
                for number in range(MOVES):
                    page.mouse.move(WIDE / 2 - 6 * number, TALL / 2 + 4 * number)
                    page.wait_for_timeout(16)
                page.mouse.up()

            print(file)
            print(f"  closer   {frames(page, lambda turned=turned: turned(-1))}")
            print(f"  dragged  {frames(page, dragged)}")
            print(f"  farther  {frames(page, lambda turned=turned: turned(1))}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
