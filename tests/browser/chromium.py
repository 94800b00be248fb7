"""Debian's Chromium without a screen, by Selenium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTH, HEIGHT = 1280, 1000
# it looks for nobody outside; a container's root has no sandbox of its own, and /dev/shm is small there
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--window-size={WIDTH},{HEIGHT}",
)
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "chromedriver": ("chromedriver",)}


class ChromiumMissingError(AssertionError):
    """The programs are not there."""


def program(name: str) -> str:
    """Where it is; raises ChromiumMissingError."""
    found = next((path for each in PROGRAMS[name] if (path := shutil.which(each))), None)
    if found is None:
        raise ChromiumMissingError(f"there is no {name}: on Debian, apt-get install chromium chromium-driver")
    return found


@contextmanager
def browser(directory: Path, language: str = "en", scheme: str = "light") -> Iterator[webdriver.Chrome]:
    """A new one that knows nobody; what it saves is in `directory`."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for each in (*QUIET, f"--user-data-dir={directory / 'profile'}", f"--lang={language}"):
        options.add_argument(each)
    saved: dict[str, Any] = {"download.default_directory": str(directory), "intl.accept_languages": language}
    options.add_experimental_option("prefs", saved)
    # no proxy of the machine's is asked the way to its own loopback
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver"), env=environment))
    try:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield driver
    finally:
        driver.quit()
