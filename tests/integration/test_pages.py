"""The pages for newcomers say the same in both languages and lead somewhere; tests/e2e/test_9_pages.py types them."""

import pytest
import yaml
from pages import FENCE, REPOSITORY, Block, blocks_of, dead_links, headings_of, links_of, text_of

FROM_THE_SEED = ("docs/how-to/from-the-seed.md", "docs/how-to/from-the-seed.fa.md")
TUTORIAL = ("docs/tutorial.md", "docs/tutorial.fa.md")
PAIRS = (FROM_THE_SEED, TUTORIAL)


def fenced(language: str) -> str:
    """The tutorial's one block of a language."""
    [found] = [each[2] for each in FENCE.finditer(text_of(TUTORIAL[0])) if each[1] == language]
    return str(found)


def links_in_english(text: str) -> list[str]:
    """Links, those to a Persian page as to the English one."""
    return sorted(link.replace(".fa.md", ".md") for link in links_of(text))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
class TestBothLanguages:
    def test_have_the_same_blocks_headings_and_links(self, pair: tuple[str, str]) -> None:
        english, persian = map(text_of, pair)
        assert FENCE.findall(english) == FENCE.findall(persian)
        assert headings_of(english) == headings_of(persian)
        assert links_in_english(english) == links_in_english(persian)


class TestFromTheSeed:
    def test_has_each_of_the_seeds_commands(self) -> None:
        """A page that lost one would still pass on the cluster."""
        typed = "".join(each.typed for each in blocks_of(text_of(FROM_THE_SEED[0])))
        for command in (
            *("auth/token", "auth/register", "admin/approve", "admin/pool/topup", "withdrawals", "$api/me"),
            *("createsuperuser", "seed_merchants.py", "preload_tokens.py", "tests.test_concurrent_withdrawals"),
            *("N_TOKENS=", "REDIS_URL=", "TARGET_HOST=", "TOKENS_KEY=", "WITHDRAW_AMOUNT="),
            *("pg_stat_activity", "pg_locks", "show pools", "INFO", "LLEN locust:tokens", "api/settlement/withdraw"),
            *("core.rateLimits", "core.connMaxAgeSeconds", "statement_timeout", "core.trustedProxies", "DB_HOST="),
            *("payments_merchantcredit", "payments_creditpool"),
        ):
            assert command in typed, command


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair])
class TestLinks:
    def test_lead_nowhere_that_is_not_there(self, page: str) -> None:
        assert dead_links(page) == []


class TestTheTutorial:
    def test_quotes_the_values_of_kind(self) -> None:
        quoted = yaml.safe_load(fenced("yaml"))
        values = yaml.safe_load((REPOSITORY / "k8s" / "kind" / "values.yaml").read_text())
        for part, settings in (("core", quoted["core"]["webhooks"]), ("networkPolicy", quoted["networkPolicy"])):
            there = values[part]["webhooks"] if part == "core" else values[part]
            assert settings.items() <= {name: there[name] for name in settings}.items()

    def test_quotes_the_receiver(self) -> None:
        manifests = yaml.safe_load_all((REPOSITORY / "k8s" / "examples" / "receiver" / "receiver.yaml").read_text())
        [container] = next(manifests)["spec"]["template"]["spec"]["containers"]
        assert fenced("python") in container["args"][0]


class TestWhatAPageShows:
    """That the comparison can fail."""

    @pytest.mark.parametrize(
        ("shown", "printed", "is_it"),
        [
            ("a 1\n", "a    1 \n", True),
            ("a 1\n", "a 2\n", False),
            ("a 1\n", "a 1\nb\n", False),
            ("a ...\n", "a 17 s\n", True),
            ("a ... s\n", "a 17 m\n", False),
            ("...\nb\n", "1\n2\nb\n", True),
            ("...\nb\n", "b\n", True),
            ("...\nb\n", "1\n2\n", False),
            ("a\n...\n", "b\na\n", False),
            ("a\n---+---\n", " a\n----+------\n", True),
        ],
    )
    def test_is_compared_line_by_line(self, shown: str, printed: str, is_it: bool) -> None:  # noqa: FBT001
        assert Block("", shown).is_as_shown(printed) is is_it
