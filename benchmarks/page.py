"""How the page of the matrix feels in headless Chromium: ``python -m benchmarks.page [result file]``.

110 endpoints under 25 capabilities with 250 checks, whose report is written and opened from its folder; or
the report of a result file. The browser's own clock is read: first contentful paint
(https://www.w3.org/TR/paint-timing/, read 2026-11-21), and from a change of a filter to the frame after the
one that shows it. Every filter is tried with all rows. Rows out of sight are laid out after that frame, so
the main thread's work may be more than what was waited for.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from measure import Line, report
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from rendering import TODAY, synthetic

from reports import baseline, render, results

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
ROUNDS = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
FILTER = """([name, value]) => new Promise((done) => {
  const field = document.querySelector(`.filters [name=${name}]`);
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""
CLICK = """([row]) => new Promise((done) => {
  const start = performance.now();
  const panel = document.querySelector("#panel");
  const seen = new MutationObserver(() => {
    if (!panel.querySelector("pre")) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  });
  seen.observe(panel, { childList: true, subtree: true });
  const cells = [...document.querySelectorAll("#cells tbody tr")[row].querySelectorAll("td[data-o] a")];
  cells[0].click();
})"""


def opened(browser: Browser, page_file: Path) -> tuple[Page, float]:
    """The page in a context of its own, and the milliseconds to its first content."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(page_file.as_uri())
    while (paint_ms := page.evaluate(PAINT)) is None:
        page.wait_for_timeout(50)
    return page, paint_ms


def filters(page: Page) -> Iterator[tuple[str, float, float]]:
    """(filter, milliseconds, the main thread's work) for each, set or taken back, whichever is
    slower; the quickest of some rounds, which others on the machine disturbed least."""
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    fields = page.eval_on_selector_all(
        ".filters .more select", "all => all.map(one => [one.name, one.options[1]?.value])"
    )
    for name, value in [*fields, ["text", "a"]]:
        if value:
            rounds = [[_filtered(page, clock, name, to) for to in (value, "")] for _ in range(ROUNDS)]
            walls, threads = ([[one[at] for one in pair] for pair in rounds] for at in (0, 1))
            yield (
                name,
                *(max(map(min, zip(*spent, strict=True))) for spent in (walls, threads)),
            )


def _filtered(page: Page, clock: CDPSession, name: str, value: str) -> tuple[float, float]:
    page.wait_for_timeout(50)
    before = _busy_ms(clock)
    wall_ms = page.evaluate(FILTER, [name, value])
    return wall_ms, _busy_ms(clock) - before


def _busy_ms(clock: CDPSession) -> float:
    """What the page's main thread has worked, in its own time."""
    metrics = clock.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration") * 1000


def lines(folder: Path, what: str) -> Iterator[Line]:
    """The goals of the report in ``folder``."""
    file = folder / "index.html"
    content = file.read_bytes()
    yield Line(f"{what}: size of the page", len(content) / 1e6, 1.5, unit="MB")
    yield Line(f"{what}: the same, gzip", len(gzip.compress(content)) / 1e6, unit="MB")
    path = next(found for name in NAMES if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        paints = []
        for _ in range(ROUNDS):
            page, paint_ms = opened(browser, file)
            paints.append(paint_ms)
            page.context.close()
        yield Line(f"{what}: first content", median(paints), 1000, unit="ms")
        page, _ = opened(browser, file)
        cells = page.locator("#cells td").count()
        yield Line(f"{what}: cells", cells, unit="")
        for name, wall_ms, thread_ms in filters(page):
            yield Line(f"{what}: filter by {name}", wall_ms, 100, unit="ms")
            yield Line(f"{what}: the main thread's work for it", thread_ms, unit="ms")
        yield Line(f"{what}: a click to its exchange", page.evaluate(CLICK, [0]), unit="ms")
        browser.close()


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory() as spare:
        run = results.read(arguments[0]) if arguments else synthetic(110, 25, 250)
        older = baseline.of(synthetic(110, 25, 250, seed=2))
        what = os.path.basename(arguments[0]) if arguments else "110x25, 250 checks"
        render.write_site(run, Path(spare), today=None if arguments else TODAY, before=[older])
        return report(lines(Path(spare), what))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
