"""A real browser for tests: Chromium, driven by its own debugging protocol; nothing to install but the browser."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-extensions", "--mute-audio",
    "--disable-dev-shm-usage",  # in a container /dev/shm is small
    "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE = 300.0


class Browser:
    """One page of a browser."""

    def __init__(self, socket: ClientConnection, downloads: Path) -> None:
        self.socket = socket
        self.downloads = downloads
        self.number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and give its result."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv(timeout=PATIENCE))
            if told.get("id") == self.number:
                assert "error" not in told, told
                return told["result"]
            self.events.append(told)

    def run(self, code: str) -> Any:
        """What an expression of JavaScript gives; fails where it throws."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, code: str) -> Any:
        """Wait until an expression is true."""
        return self.wait(lambda: self.run(f"Boolean({code})"), code)

    def wait(self, there: Callable[[], Any], told: str = "") -> Any:
        """Wait until a function gives something true."""
        end = time.monotonic() + PATIENCE
        while not (found := there()):
            assert time.monotonic() < end, f"never true: {told}; {self.faults()}"
            time.sleep(0.02)
        return found

    def open(self, page: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Open a file from disk and wait until it is ready."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        # Or the page before would pass for this one.
        self.run("document.documentElement?.removeAttribute('data-ready')")
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.until("document.documentElement?.dataset.ready === 'yes'")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def faults(self) -> list[str]:
        """What the page threw, logged as an error, or asked the network for."""
        found = []
        for event in self.events:
            params = event["params"]
            match event["method"]:
                case "Runtime.exceptionThrown":
                    found.append(str(params["exceptionDetails"]))
                case "Log.entryAdded" if params["entry"]["level"] == "error":
                    found.append(params["entry"]["text"])
                case "Network.requestWillBeSent" if not params["request"]["url"].startswith(
                    ("file:", "data:", "blob:")
                ):
                    found.append(params["request"]["url"])
        return found


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A browser with its own profile and downloads below `folder`; skips the test where there is none."""
    binary = next((path for name in NAMES if (path := shutil.which(name))), None)
    if binary is None:
        pytest.skip(f"no browser on this machine (looked for {', '.join(NAMES)}): install chromium")
    profile, downloads = folder / "profile", folder / "downloads"
    downloads.mkdir(parents=True)
    process = subprocess.Popen(
        [binary, *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_address(profile, process), max_size=None, open_timeout=PATIENCE) as socket:
            browser = Browser(socket, downloads)
            browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
            yield browser
    finally:
        process.kill()
        process.wait()


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the browser's one page listens."""
    told, end = profile / "DevToolsActivePort", time.monotonic() + PATIENCE
    while not (pages := _pages(told)):
        assert process.poll() is None, "the browser ended at once"
        assert time.monotonic() < end, "the browser did not start"
        time.sleep(0.05)
    return str(pages[0]["webSocketDebuggerUrl"])


def _pages(told: Path) -> list[dict[str, Any]]:
    """The pages of a browser by the file that it writes when it listens: none as long as it starts."""
    said = told.read_text() if told.exists() else ""
    if "\n" not in said:
        return []
    with urllib.request.urlopen(f"http://127.0.0.1:{said.split()[0]}/json/list", timeout=PATIENCE) as answer:
        return [one for one in json.load(answer) if one["type"] == "page"]
