"""What README tells people to type is typed, and both languages say the same."""

import re
import subprocess
import sys
import uuid

import pytest
from pages import blocks_of, dead_links, headings_of, links_of, text_of

from etebar_quickstart import paths

from .platform import Platform

PAGES = ("README.md", "README.fa.md")
MOST_LINES = 150


def shell_block(page: str) -> str:
    [block] = blocks_of(text_of(page))
    return block.typed


def typed_beside(platform: Platform, typed: str) -> subprocess.CompletedProcess[str]:
    """What becomes of it in a shell beside the running platform, with a merchant that is not there yet."""
    # what `make env` runs, without installing anything first
    typed = typed.replace("make env", f"{sys.executable} -m etebar_quickstart env")
    typed = typed.replace("PASSWORD", platform.stack.environments.secrets.admin_password)
    typed = re.sub(r"\bm1\b", f"m-{uuid.uuid4().hex[:8]}", typed)
    environ = {"PATH": "/usr/bin:/bin", "ETEBAR_STATE_DIR": str(platform.stack.state.path)}
    shell = ["bash", "-eu", "-o", "pipefail", "-c", typed]
    return subprocess.run(shell, check=False, cwd=paths.REPOSITORY, env=environ, capture_output=True, text=True)


def fences_of(text: str) -> list[str]:
    """What is typed, and what is printed."""
    return re.findall(r"^```.*?^```$", text, re.DOTALL | re.MULTILINE)


class TestReadme:
    @pytest.mark.parametrize("page", PAGES)
    def test_withdraws_as_it_says(self, platform: Platform, page: str) -> None:
        done = typed_beside(platform, shell_block(page))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "HTTP/1.1 201" in done.stdout
        assert '"state":"settled"' in done.stdout

    def test_is_where_the_merchant_of_the_webhooks_page_is_from(self, platform: Platform) -> None:
        page = blocks_of(text_of("docs/how-to/webhooks.md"))[0].typed
        done = typed_beside(platform, shell_block("README.md") + page)
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"url":"https://shop.example/etebar"' in done.stdout

    def test_is_short_and_says_the_same_in_both_languages(self) -> None:
        english, persian = map(text_of, PAGES)
        assert len(english.splitlines()) <= MOST_LINES
        assert fences_of(english) == fences_of(persian)
        assert headings_of(english) == headings_of(persian)
        numbers = [re.findall(r"\| (?:single|floor|bulk)[^\n]*\|", each) for each in (english, persian)]
        assert numbers[0] == numbers[1]
        links = [set(links_of(each)) for each in (english, persian)]
        only_english = {"README.fa.md", "docs/pictures/console-home-en-light.png"}
        only_persian = {"README.md", "docs/pictures/console-home-fa-light.png"}
        assert links[0] - only_english == links[1] - only_persian

    @pytest.mark.parametrize("page", PAGES)
    def test_leads_nowhere_that_is_not_there(self, page: str) -> None:
        assert dead_links(page) == []
