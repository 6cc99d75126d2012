"""Headless Chromium for the tests of pages."""

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

INSPECT = """(() => {
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
    for (let node = element; node; node = node.parentElement) layers.push(parse(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), {r: 255, g: 255, b: 255, a: 1});
  };
  const luminance = ({r, g, b}) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = [];
  let numTexts = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({opacityProperty: true})) continue;
    numTexts += 1;
    const below = ground(element);
    const [low, high] = [luminance(over(parse(getComputedStyle(element).color), below)), luminance(below)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) pale.push([texts.currentNode.data.trim().slice(0, 60), contrast]);
  }
  const width = document.documentElement.clientWidth;  // innerWidth grows with elements that are too wide on a phone
  const wide = [...document.querySelectorAll("body *")].filter((element) => !element.closest(".wide, pre, svg"))
    .filter((element) => element.getBoundingClientRect().right > width + 0.5 && element.checkVisibility())
    .map((element) => element.tagName + "." + element.className + " " + element.textContent.trim().slice(0, 40));
  const images = [...document.images];
  return {
    texts: numTexts, pale, wide, scrolls: document.documentElement.scrollWidth - width, figures: images.length,
    hidden: images.filter((image) => !(image.complete && image.naturalWidth > 0 && image.getBoundingClientRect().height > 40))
      .map((image) => image.alt),
    ground: getComputedStyle(document.body).backgroundColor,
    scripts: document.scripts.length,
  };
})()"""


class Browser:
    """Headless Chromium, controlled by the DevTools protocol over two pipes; `errors` holds the errors of its console."""

    def __init__(self, profile: Path) -> None:
        pipes = [*os.pipe(), *os.pipe()]
        # Chromium reads from descriptor 3 and writes to 4; the shell moves the pipes there from descriptors of two digits.
        its_input, our_output, our_input, its_output = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in pipes)
        for end in pipes:
            os.close(end)
        command = f'exec "$@" 3<&{its_input} 4>&{its_output}'
        self.process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(its_input, its_output),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_input)
        os.close(its_output)
        self.writer, self.reader = os.fdopen(our_output, "wb"), os.fdopen(our_input, "rb")
        self.buffer, self.command_id, self.session = b"", 0, ""
        self.errors: list[str] = []
        self.events: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def message(self) -> dict[str, Any]:
        """Read the next message, an answer or an event."""
        while b"\0" not in self.buffer:
            read = self.reader.read1(1 << 16)
            if not read:
                raise EOFError("Chromium ended")
            self.buffer += read
        line, _, self.buffer = self.buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.errors.append(params["entry"]["text"])
        if method == "Runtime.exceptionThrown" or (method == "Runtime.consoleAPICalled" and params["type"] == "error"):
            self.errors.append(json.dumps(params))
        self.events.append(method)
        return message

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer."""
        self.command_id += 1
        session = {"sessionId": self.session} if self.session else {}
        command = {"id": self.command_id, "method": method, "params": parameters, **session}
        self.writer.write(json.dumps(command).encode() + b"\0")
        self.writer.flush()
        while (answer := self.message()).get("id") != self.command_id:
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
        """Evaluate an expression in the page."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def picture(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        screenshot = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(screenshot["data"]))

    def close(self) -> None:
        """End Chromium and all of its processes."""
        self.writer.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.close()

    def inspect(self, page: Path, width: int, theme: str) -> dict[str, Any]:
        """Load a page and list its faults; without faults, every list is empty.

        Returns:
            `errors` of the console; texts too `pale` for a contrast of 4.5; elements too `wide` for the window; by how many
            pixels the page `scrolls` sideways; `hidden` figures; the number of `texts`; the colour of the `ground`.
        """
        self.errors.clear()
        self.show(page, width, theme)
        return {"errors": list(self.errors), **self.value(INSPECT)}


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium; without it, tests that need it are skipped."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; Debian has it in its package chromium")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
GROUNDS = {"light": "rgb(255, 255, 252)", "dark": "rgb(21, 23, 26)"}


@pytest.fixture(params=VIEWS, ids=["desktop-light", "desktop-dark", "phone-light", "phone-dark"])
def check_page(request: pytest.FixtureRequest, browser: Browser) -> Callable[[Path], dict[str, Any]]:
    """Checks a page in one of four views; fails if anything on it is broken, cut off or hard to read."""
    width, theme = request.param

    def check(page: Path) -> dict[str, Any]:
        report = browser.inspect(page, width, theme)
        assert report["ground"] == GROUNDS[theme]
        assert (report["errors"], report["pale"], report["hidden"], report["wide"]) == ([], [], [], [])
        assert report["scrolls"] <= 0
        assert report["scripts"] == 0
        assert report["texts"] > 200
        return report

    return check
