"""Sets lines of Persian and Latin text on pages, and makes a PDF file of them (ISO 32000-1).

The order of what a line shows is the Unicode bidirectional algorithm's, the joined forms of letters are HarfBuzz's, and
fonts are embedded with the glyphs that are used. Each glyph says one character, so that who searches or copies text
finds it in the order in which it is read. Readers that go by places find that order themselves; PDFium, Chromium's,
turns what a page of Persian shows around part by part, so Latin lines are shown there part by part from their end.

Lengths are points. A place is its distance from the upper edge and from the side where reading begins.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from itertools import accumulate, chain, groupby
from pathlib import Path
from typing import Literal

import bidi
import pydyf
import uharfbuzz as harfbuzz

# A4
WIDTH, HEIGHT = 595.28, 841.89
FONTS = Path(__file__).parent / "fonts"
Align = Literal["start", "end"]
# what PDF counts widths in, of the font's size
THOUSAND = 1000
# a block of a CMap has at most so many lines
BLOCK = 100
# letters that join each other, with marks and joiners among them; digits run from left to right in Persian, too
_JOINING = re.compile("([\u0610-\u065f\u066e-\u06ef\u06fa-\u06ff\u200c\u200d]+)")
# they have done their work when the order is known
_DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f"))
# classes of characters (UAX 9) that run from right to left; and those of numbers and what stands in them
_RIGHT, _OF_NUMBERS = {"R", "AL"}, {"EN", "AN", "ES", "ET", "CS", "BN"}


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph of a font, the character that it says, if any, and how far the next one is, in the font's units."""

    number: int
    character: str
    advance: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A glyph in a line: beside where the glyphs before it have brought it, as marks are, and above or below it."""

    glyph: Glyph
    right: int = 0
    up: int = 0


class Typeface:
    """A TrueType font of `FONTS`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._face = harfbuzz.Face(harfbuzz.Blob.from_file_path(FONTS / f"{name}.ttf"))
        self._font = harfbuzz.Font(self._face)
        self._blank = self._font.get_nominal_glyph(ord(" ")) or 0
        extents = self._font.get_font_extents("ltr")
        self.ascender: int = extents.ascender
        self.descender: int = extents.descender
        self.units: int = self._face.upem

    def line(self, text: str, *, right_to_left: bool) -> list[Placed]:
        """The glyphs of a line from left to right; `right_to_left` is how the line runs, whatever its words do.

        A line without a Persian word is as it is where lines run from left to right: `-` ends the name `shop-`.
        """
        if right_to_left and text and _is_latin(text):
            return _from_its_end(list(self._shaped(text.translate(_DIRECTIONS), "ltr", "latn")))
        shown = bidi.get_display(text, base_dir="R" if right_to_left else "L").translate(_DIRECTIONS)
        found: list[Placed] = []
        for part in filter(None, _JOINING.split(shown)):
            joins = _JOINING.fullmatch(part)
            found += self._shaped(part[::-1], "rtl", "arab") if joins else self._shaped(part, "ltr", "latn")
        return found

    def _shaped(self, text: str, direction: str, script: str) -> Iterator[Placed]:
        buffer = harfbuzz.Buffer()
        buffer.add_str(text)
        buffer.direction, buffer.script = direction, script
        # a mark says its own character
        buffer.cluster_level = harfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
        # kerned, a letter would be another glyph beside each partner
        harfbuzz.shape(self._font, buffer, {"kern": False})
        starts = sorted({info.cluster for info in buffer.glyph_infos})
        ends = zip(starts, [*starts[1:], len(text)], strict=True)
        step = -1 if direction == "rtl" else 1
        unsaid = {start: text[start:end][::step] for start, end in ends}
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            said = unsaid.pop(info.cluster, "")
            yield Placed(Glyph(info.codepoint, said[:1], position.x_advance), position.x_offset, position.y_offset)
            # a ligature says its other characters by blanks without width
            yield from (Placed(Glyph(self._blank, other, 0)) for other in said[1:])

    def subset(self, numbers: Iterable[int]) -> bytes:
        """The font's file with these glyphs alone, under their numbers."""
        wanted = harfbuzz.SubsetInput()
        wanted.glyph_set.update(numbers)
        wanted.flags = harfbuzz.SubsetFlags.RETAIN_GIDS | harfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
        return bytes(wanted.subset(self._face).blob.data)


def _is_latin(text: str) -> bool:
    """A name or an id. A Persian day with its hour, and the time zone's Latin name, runs from right to left."""
    said = text.translate(_DIRECTIONS)
    classes = set(map(unicodedata.bidirectional, said))
    if classes & _RIGHT or any(each.isdecimal() and not each.isascii() for each in said):
        return False
    return "L" in classes or said.isascii()


def _part(placed: Placed) -> str:
    """What PDFium does not turn around: letters beside each other, a number, or what is neither."""
    kind = unicodedata.bidirectional(placed.glyph.character)
    return "number" if kind in _OF_NUMBERS else "letter" if kind == "L" else "other"


def _from_its_end(line: list[Placed]) -> list[Placed]:
    """The same picture, whose last part comes first: PDFium turns the parts of a line around, and has them in order."""
    places = accumulate((placed.glyph.advance for placed in line), initial=0)
    there = list(zip(line, places, strict=False))
    parts = [list(part) for _, part in groupby(there, lambda each: _part(each[0]))]
    found, come_to = [], 0
    for placed, place in chain.from_iterable(reversed(parts)):
        found.append(replace(placed, right=placed.right + place - come_to))
        come_to += placed.glyph.advance
    return found


@cache
def typeface(name: str) -> Typeface:
    """A font, read once in a process."""
    return Typeface(name)


class _EmbeddedFont:
    """A font in a document: a code for each glyph that is as wide and says the same character."""

    def __init__(self, face: Typeface) -> None:
        self.face = face
        self._codes: dict[Glyph, int] = {}

    def show(self, line: Iterable[Placed], size: float) -> str:
        """The operators that show a line (9.4.3)."""
        shown = []
        for up, level in groupby(line, lambda placed: placed.up):
            # one operator for what is on one level: PDFium puts those of a line in the order of their places
            moved, parts = 0, []
            for right, run in groupby(level, lambda placed: placed.right):
                there = self._scaled(right)
                codes = "".join(f"{self._code(placed.glyph):04x}" for placed in run)
                parts.append(f"{moved - there} <{codes}>" if moved - there else f"<{codes}>")
                moved = there
            told = f"[{' '.join(parts)}{f' {moved}' if moved else ''}] TJ"
            shown.append(f"{up * size / self.face.units:.2f} Ts {told} 0 Ts" if up else told)
        return " ".join(shown)

    def _code(self, glyph: Glyph) -> int:
        # 0 is what the font shows for what it does not have
        return self._codes.setdefault(glyph, len(self._codes) + 1)

    def add_to(self, pdf: pydyf.PDF) -> bytes:
        """Adds a composite font (9.7) to the file; the reference to it."""
        name = f"/ETEBAR+{self.face.name}"
        numbers = b"".join(glyph.number.to_bytes(2, "big") for glyph in self._codes)
        file = _added(pdf, pydyf.Stream([self.face.subset({0, *(each.number for each in self._codes)})], compress=True))
        descriptor = pydyf.Dictionary(
            {
                "Type": "/FontDescriptor",
                "FontName": name,
                "Flags": 4,
                "FontBBox": pydyf.Array(
                    [0, self._scaled(self.face.descender), THOUSAND, self._scaled(self.face.ascender)]
                ),
                "ItalicAngle": 0,
                "Ascent": self._scaled(self.face.ascender),
                "Descent": self._scaled(self.face.descender),
                "CapHeight": self._scaled(self.face.ascender),
                "StemV": 80,
                "FontFile2": file,
            }
        )
        information = {"Registry": pydyf.String("Adobe"), "Ordering": pydyf.String("Identity"), "Supplement": 0}
        descendant = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/CIDFontType2",
                "BaseFont": name,
                "CIDSystemInfo": pydyf.Dictionary(information),
                "FontDescriptor": _added(pdf, descriptor),
                "CIDToGIDMap": _added(pdf, pydyf.Stream([b"\0\0" + numbers], compress=True)),
                "W": pydyf.Array([1, pydyf.Array([self._scaled(glyph.advance) for glyph in self._codes])]),
            }
        )
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": name,
                "Encoding": "/Identity-H",
                "DescendantFonts": pydyf.Array([_added(pdf, descendant)]),
                "ToUnicode": _added(pdf, pydyf.Stream([self._characters()], compress=True)),
            }
        )
        return _added(pdf, font)

    def _scaled(self, length: int) -> int:
        return round(length * THOUSAND / self.face.units)

    def _characters(self) -> bytes:
        """The CMap from codes to characters (9.10.3)."""
        lines = [
            f"<{code:04x}> <{glyph.character.encode('utf-16-be').hex()}>"
            for glyph, code in self._codes.items()
            if glyph.character
        ]
        told = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Etebar def /CMapType 2 def",
            "1 begincodespacerange <0000> <ffff> endcodespacerange",
        ]
        for start in range(0, len(lines), BLOCK):
            block = lines[start : start + BLOCK]
            told += [f"{len(block)} beginbfchar", *block, "endbfchar"]
        return "\n".join((*told, "endcmap end end")).encode()


def _added(pdf: pydyf.PDF, part: pydyf.Object) -> bytes:
    pdf.add_object(part)
    return bytes(part.reference)


class Document:
    """Pages, of which the last one, or another by its number from 0, takes lines of text."""

    def __init__(self, *, language: str, right_to_left: bool, title: str) -> None:
        self._language, self._right_to_left, self._title = language, right_to_left, title
        self._pages: list[pydyf.Stream] = []
        self._fonts: dict[str, _EmbeddedFont] = {}

    @property
    def pages(self) -> int:
        return len(self._pages)

    def page(self) -> None:
        """Takes a new page."""
        self._pages.append(pydyf.Stream(compress=True))

    def text(
        self, text: str, across: float, down: float, *, font: str, size: float, align: Align = "start", page: int = -1
    ) -> None:
        """Writes a line that begins or ends `across` and stands on `down`."""
        embedded = self._fonts.setdefault(font, _EmbeddedFont(typeface(font)))
        line = embedded.face.line(text, right_to_left=self._right_to_left)
        width = sum(placed.glyph.advance for placed in line) * size / embedded.face.units
        left = self._left(across if align == "start" else across - width, width)
        name = list(self._fonts).index(font)
        show = embedded.show(line, size)
        self._pages[page].stream.append(f"BT /F{name} {size} Tf {left:.2f} {HEIGHT - down:.2f} Td {show} ET")

    def rule(self, across: float, down: float, length: float) -> None:
        """Draws a thin line from `across` on."""
        left, up = self._left(across, length), HEIGHT - down
        self._pages[-1].stream.append(f"0.5 w {left:.2f} {up:.2f} m {left + length:.2f} {up:.2f} l S")

    def _left(self, across: float, width: float) -> float:
        return WIDTH - across - width if self._right_to_left else across

    def finish(self) -> bytes:
        """The file."""
        pdf = pydyf.PDF()
        fonts = {f"F{number}": font.add_to(pdf) for number, font in enumerate(self._fonts.values())}
        resources = _added(pdf, pydyf.Dictionary({"Font": pydyf.Dictionary(fonts)}))
        for stream in self._pages:
            page = {
                "Type": "/Page",
                "Parent": pdf.pages.reference,
                "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
                "Resources": resources,
                "Contents": _added(pdf, stream),
            }
            pdf.add_page(pydyf.Dictionary(page))
        pdf.info["Title"] = pydyf.String(self._title)
        pdf.catalog["Lang"] = pydyf.String(self._language)
        if self._right_to_left:
            pdf.catalog["ViewerPreferences"] = pydyf.Dictionary({"Direction": "/R2L"})
        written = BytesIO()
        pdf.write(written, version="1.7", identifier=True)
        return written.getvalue()
