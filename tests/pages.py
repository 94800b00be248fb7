"""Pages whose shell blocks are typed by tests, and what they say that these print."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)]+)\)")
RULE = re.compile("-{3,}")
VARIES = "..."
ANYTHING, SPACE, SPACES = r"[^\n]*", r"[ \t]*", r"[ \t]+"
# Before each block a line of its own; what a block reads is nothing, lest it eat the blocks after it.
SHELL = r"""
set -eu -o pipefail
for block in "$@"; do
    printf '\n\036%s\n' "$EPOCHREALTIME"
    source "$block" < /dev/null
done
printf '\n\036%s\n' "$EPOCHREALTIME"
"""
MARK = re.compile(r"\n\x1e([0-9.]+)\n")
SAID = 4000


@dataclass(frozen=True)
class Block:
    """What is typed, and what the page shows below it; None where it shows nothing."""

    typed: str
    shown: str | None = None

    def renamed(self, names: Mapping[str, str]) -> "Block":
        """The same with other words: a page's merchants are there already where it was typed before."""
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
        typed, shown = (text and pattern.sub(lambda found: names[found[1]], text) for text in (self.typed, self.shown))
        return replace(self, typed=typed or "", shown=shown)

    def is_as_shown(self, printed: str) -> bool:
        """Line by line: a line `...` stands for any lines, `...` in a line for anything.

        Tables may be as wide as they like: a space is one or more, and so is a rule of dashes.
        """
        if self.shown is None:
            return True
        pattern = "".join(map(_pattern_of_line, RULE.sub("---", self.shown).strip().splitlines()))
        return re.fullmatch(pattern, RULE.sub("---", printed).strip() + "\n") is not None


@dataclass(frozen=True)
class Printed:
    """What a block wrote to stdout, and how long it took."""

    text: str
    seconds: float


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text()


def blocks_of(text: str) -> list[Block]:
    """The blocks marked `sh`; one without a mark right below is what it prints."""
    found = []
    fences = list(FENCE.finditer(text))
    for fence, after in zip_longest(fences, fences[1:]):
        if fence[1] == "sh":
            is_shown = after is not None and not after[1] and not text[fence.end() : after.start()].strip()
            found.append(Block(fence[2], after[2] if is_shown else None))
    return found


def headings_of(text: str) -> list[int]:
    """The levels of the headings, in their order."""
    return [len(each[1]) for each in HEADING.finditer(FENCE.sub("", text))]


def links_of(text: str) -> list[str]:
    return [each[1] for each in LINK.finditer(FENCE.sub("", text))]


def dead_links(page: str) -> list[str]:
    """Those that lead to a file which is not there."""
    folder = (REPOSITORY / page).parent
    local = [link for link in links_of(text_of(page)) if not link.startswith("https://")]
    return [link for link in local if not (folder / link.partition("#")[0]).exists()]


def type_in_one_shell(blocks: Sequence[Block], directory: Path, environ: Mapping[str, str]) -> list[Printed]:
    """Types them one after the other, as a person would who stops at the first that fails: AssertionError, then."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        files = [place / f"{number}.sh" for number in range(len(blocks))]
        for file, block in zip(files, blocks, strict=True):
            file.write_text(block.typed)
        code = _run_shell(files, directory, environ, place / "out", place / "err")
        printed, complaints = (place / "out").read_text(), (place / "err").read_text()
    head, *marked = MARK.split(printed)
    assert not head, head
    moments, texts = [float(each) for each in marked[::2]], marked[1::2]
    if code:
        typed = blocks[len(texts) - 1].typed
        raise AssertionError(f"{typed}ended with {code}\n{texts[-1][-SAID:]}{complaints[-SAID:]}")
    return [Printed(text, end - begin) for text, begin, end in zip(texts[:-1], moments[:-1], moments[1:], strict=True)]


def _run_shell(files: Sequence[Path], directory: Path, environ: Mapping[str, str], out: Path, err: Path) -> int:
    """The code that it ends with. What a block left running is ended, too; a pipe would wait for it."""
    with (
        out.open("w") as stdout,
        err.open("w") as stderr,
        subprocess.Popen(
            ["bash", "-c", SHELL, "page", *map(str, files)],
            cwd=directory,
            env=dict(environ),
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        ) as shell,
    ):
        try:
            return shell.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)


def _pattern_of_line(line: str) -> str:
    if line.strip() == VARIES:
        return f"(?:{ANYTHING}\\n)*?"
    parts = ([re.escape(word) for word in part.split(" ") if word] for part in line.strip().split(VARIES))
    # a space beside `...` is part of what varies
    return SPACE + ANYTHING.join(SPACES.join(words) for words in parts) + SPACE + "\\n"
