"""Chromium for the tests: found, started, watched while it looks at a page; and what a run without it says."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

WIDTHS = (320, 375, 1280)  # a small telephone, a usual one, a desk
THEMES = ("light", "dark")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_REPORTS = """
window.__reports = [];
document.addEventListener("securitypolicyviolation", (event) => window.__reports.push(event.violatedDirective));
"""


def program() -> str | None:
    """Where Chromium is; HEED_CHROMIUM names another one."""
    return shutil.which(os.environ.get("HEED_CHROMIUM", "chromium"))


@contextmanager
def started() -> Iterator[Browser]:
    """One Chromium for a module of tests: beside its driver's event loop no other one runs in this thread."""
    with sync_playwright() as driver:
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to work for root
        browser = driver.chromium.launch(executable_path=program(), args=[*alone, "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page whose console, errors, dialogs and reports of the content policy are listened to."""

    page: Page
    heard: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_REPORTS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium says so of the page itself, when its status is an error, as that of a problem page is.
        own = message.text.startswith("Failed to load resource") and message.location["url"] == self.page.url
        if message.type in {"error", "warning"} and not own:
            self.heard.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: object) -> None:
        self.dialogs.append(str(dialog.message))  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    def reports(self) -> list[str]:
        """What the content policy forbade on this page."""
        found: list[str] = self.page.evaluate("window.__reports")
        return found

    def wide(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def barriers(self) -> str:
        """What axe finds, one line for each place; empty where nobody is kept out."""
        options = {"runOnly": _RULES, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return "\n".join(f"{one['id']}: {node['html'][:300]}" for one in found for node in one["nodes"])


_STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const box = at.getClientRects()[0] || at.getBoundingClientRect();
  const line = at.closest(".rows > li");
  const drawn = (one) => one && getComputedStyle(one).outlineStyle !== "none";
  const [x, y] = [box.left + Math.min(box.width, innerWidth) / 2, box.top + Math.min(box.height, 20) / 2];
  const over = document.elementFromPoint(x, y);
  return {
    seen: at.tabIndex < 0 || drawn(at) || drawn(line),
    free: at.tabIndex < 0 || (over !== null && (at.contains(over) || over.contains(at) || !!at.labels?.length)),
    what: at.outerHTML.slice(0, 160),
  };
}"""


def stop(page: Page) -> str | None:
    """Where the keyboard is, which is to be seen and not covered; None where it is nowhere."""
    at = page.evaluate(_STOP)
    if at is None:
        return None
    assert at["seen"], f"the focus cannot be seen on {at['what']}"
    assert at["free"], f"the focus is outside of the window, or covered, on {at['what']}"
    return str(at["what"])


class WithoutChromium:
    """Leaves the browser's tests out where there is no Chromium, and lets the run fail with what to type."""

    def __init__(self) -> None:
        self.left_out = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Of what is left after -k and -m."""
        if program() is None:
            browser = [item for item in items if _here(item)]
            self.left_out = len(browser)
            config.hook.pytest_deselected(items=browser)
            items[:] = [item for item in items if not _here(item)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A worker of this run has ended: each collects the same."""
        self.left_out = max(self.left_out, getattr(node, "workeroutput", {}).get("left_out", 0))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker: tell the controller. Else: not to have looked is no success."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out
        elif self.left_out:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The one line to type."""
        if self.left_out:
            terminalreporter.write_line(
                f"{self.left_out} tests of the pages could not run, for there is no Chromium; type: "
                "apt-get install chromium   (or name yours: HEED_CHROMIUM=/path/to/it)",
                red=True,
            )


def _here(item: pytest.Item) -> bool:
    return item.path.parent == Path(__file__).parent / "browser"
