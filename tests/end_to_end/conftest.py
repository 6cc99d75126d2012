"""A browser for the tests that look at a page: headless Chromium, where there is one."""

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--hide-scrollbars"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"]

LOOK = """(() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return {r, g, b, a};
  };
  const over = (top, ground) => ({
    r: top.a * top.r + (1 - top.a) * ground.r, g: top.a * top.g + (1 - top.a) * ground.g,
    b: top.a * top.b + (1 - top.a) * ground.b, a: 1,
  });
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), {r: 255, g: 255, b: 255, a: 1});
  };
  const luminance = ({r, g, b}) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = [];
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({opacityProperty: true})) continue;
    seen += 1;
    const below = ground(element);
    const [low, high] = [luminance(over(parse(getComputedStyle(element).color), below)), luminance(below)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) pale.push([texts.currentNode.data.trim().slice(0, 60), contrast]);
  }
  const width = document.documentElement.clientWidth;  // innerWidth grows with what is too wide on a phone
  const wide = [...document.querySelectorAll("body *")].filter((one) => !one.closest(".wide, pre, svg"))
    .filter((one) => one.getBoundingClientRect().right > width + 0.5 && one.checkVisibility())
    .map((one) => one.tagName + "." + one.className + " " + one.textContent.trim().slice(0, 40));
  const images = [...document.images];
  return {
    seen, pale, wide, scrolls: document.documentElement.scrollWidth - width, figures: images.length,
    hidden: images.filter((one) => !(one.complete && one.naturalWidth > 0 && one.getBoundingClientRect().height > 40))
      .map((one) => one.alt),
    ground: getComputedStyle(document.body).backgroundColor,
    scripts: document.scripts.length,
  };
})()"""


class Browser:
    """Headless Chromium, spoken to by the DevTools protocol over two pipes; `errors` are what its console complained of."""

    def __init__(self, profile: Path) -> None:
        pipes = [*os.pipe(), *os.pipe()]
        # Chromium reads from descriptor 3 and writes to 4; a shell puts the pipes there, from above the digits.
        theirs_in, ours_out, ours_in, theirs_out = (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 20) for one in pipes)
        for one in pipes:
            os.close(one)
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.to, self.of = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self.buffer, self.number, self.session = b"", 0, ""
        self.errors: list[str] = []
        self.events: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def message(self) -> dict[str, Any]:
        """The next message, an answer or an event."""
        while b"\0" not in self.buffer:
            read = self.of.read1(1 << 16)
            if not read:
                raise EOFError("Chromium ended")
            self.buffer += read
        one, _, self.buffer = self.buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(one)
        method, about = found.get("method", ""), found.get("params", {})
        if method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.errors.append(about["entry"]["text"])
        if method == "Runtime.exceptionThrown" or (method == "Runtime.consoleAPICalled" and about["type"] == "error"):
            self.errors.append(json.dumps(about))
        self.events.append(method)
        return found

    def ask(self, method: str, **parameters: Any) -> Any:
        """Give a command and wait for its answer."""
        self.number += 1
        of_session = {"sessionId": self.session} if self.session else {}
        command = {"id": self.number, "method": method, "params": parameters, **of_session}
        self.to.write(json.dumps(command).encode() + b"\0")
        self.to.flush()
        while (answer := self.message()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def show(self, page: Path, width: int, theme: str) -> None:
        """Load a page at a width in CSS pixels, in `light` or `dark`."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.events.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self.message()

    def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def picture(self, path: Path) -> None:
        """The whole page as PNG, for eyes."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        """End it and all of its processes."""
        self.to.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.of.close()

    def look(self, page: Path, width: int, theme: str) -> dict[str, Any]:
        """Show a page and say what is wrong with it; every list is empty where nothing is.

        Returns:
            `errors` of the console, texts too `pale` for a contrast of 4.5, elements too `wide` for the window and by how
            much the page `scrolls` sideways, figures that are `hidden`; how many texts were `seen`; the `ground`'s colour.
        """
        self.errors.clear()
        self.show(page, width, theme)
        return {"errors": list(self.errors), **self.value(LOOK)}


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium; tests with it skip, in words, where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; Debian has it in its package chromium")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
GROUNDS = {"light": "rgb(255, 255, 252)", "dark": "rgb(21, 23, 26)"}


@pytest.fixture(params=VIEWS, ids=["desktop-light", "desktop-dark", "phone-light", "phone-dark"])
def sound_page(request: pytest.FixtureRequest, browser: Browser) -> Callable[[Path], dict[str, Any]]:
    """Looks at a page in one of four ways, and fails where anything on it is broken, cut off or hard to read."""
    width, theme = request.param

    def check(page: Path) -> dict[str, Any]:
        found = browser.look(page, width, theme)
        assert found["ground"] == GROUNDS[theme]
        assert (found["errors"], found["pale"], found["hidden"], found["wide"]) == ([], [], [], [])
        assert found["scrolls"] <= 0
        assert found["scripts"] == 0
        assert found["seen"] > 200
        return found

    return check
