"""The staff console as a person uses it: by what is written on links, buttons and fields."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

AXE = Path(__file__).with_name("axe-4.14.1.min.js").read_text()
GRAVE = frozenset({"serious", "critical"})
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Console:
    """A browser at the console of one address."""

    driver: webdriver.Chrome
    url: str

    def open(self, path: str = "") -> None:
        self.driver.get(f"{self.url}/admin/{path}")

    def sign_in(self, username: str, password: str) -> None:
        self.open()
        self.fill("username", username)
        self.fill("password", password)
        self.submit()

    def fill(self, name: str, text: str) -> None:
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def choose(self, name: str, value: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, f'input[name="{name}"][value="{value}"]').click()

    def submit(self) -> None:
        """The page's own form, and waits for the next page."""
        self._leaving(self.driver.find_element(By.CSS_SELECTOR, "#content input[type=submit]"))

    def follow(self, text: str) -> None:
        """The link that says so."""
        # as it is written, whatever the style makes of its letters
        self._leaving(self.driver.find_element(By.XPATH, f'//a[contains(normalize-space(.), "{text}")]'))

    def press(self, selector: str) -> None:
        self._leaving(self.driver.find_element(By.CSS_SELECTOR, selector))

    def text(self, selector: str = "#container") -> str:
        """What a reader sees."""
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def links(self, selector: str) -> list[str]:
        return [str(each.get_attribute("textContent")) for each in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def is_drawn(self, canvas: str) -> bool:
        """Whether anything is on the canvas of that id."""
        image = f"document.getElementById('{canvas}').getContext('2d').getImageData(0, 0, 600, 250)"
        return bool(self.driver.execute_script(f"return {image}.data.some(Boolean)"))

    def violations(self) -> list[dict[str, Any]]:
        """The rules of accessibility that the page breaks gravely, by axe-core, and where."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
        return [
            {"rule": each["id"], "help": each["help"], "where": [node["html"][:200] for node in each["nodes"]]}
            for each in found["violations"]
            if each["impact"] in GRAVE
        ]

    def foreign_requests(self) -> list[str]:
        """What the page has asked other hosts for."""
        names = self.driver.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
        return [name for name in names if not name.startswith((self.url, "data:"))]

    def complaints(self) -> list[str]:
        """What the browser itself found wrong: refused by a policy, not found, an error in a script."""
        return [json.dumps(each) for each in self.driver.get_log("browser") if each["level"] == "SEVERE"]

    def picture(self, path: Path) -> None:
        """The whole page, not only what fits the window."""
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.set_window_size(1280, max(700, min(height + 150, 2000)))
        self.driver.save_screenshot(str(path))

    def _leaving(self, element: WebElement) -> None:
        """Clicks, and waits until another page is here and whole."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        element.click()
        wait = WebDriverWait(self.driver, PATIENCE_SECONDS)
        wait.until(lambda driver: driver.find_element(By.TAG_NAME, "html") != page)
        wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")
