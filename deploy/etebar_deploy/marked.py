"""Documents of which one part is made from code, between two comments, and the rest is written by hand."""

from etebar_quickstart import QuickstartError

BEGIN = "<!-- begin {name}: made by `make generate`, do not edit -->"
END = "<!-- end {name} -->"


def with_part(document: str, name: str, part: str) -> str:
    """`document` with `part` between its marks; QuickstartError when it has not got each mark once."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    if document.count(begin) != 1 or document.count(end) != 1:
        raise QuickstartError(f"the lines `{begin}` and `{end}` must stand there once")
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n\n{part.strip()}\n\n{end}{after}"
