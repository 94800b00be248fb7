"""Writes CycloneDX bills of materials: `locks/sbom.py [FOLDER [IMAGE...]]`.

Without images: each deployable's Python packages, from its lock; the same lock gives the same bytes. With images that
docker has: of each of these, what Debian's package database in it says, and its lock's Python packages.
"""

import hashlib
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

LOCKS = Path(__file__).parent
DEPLOYABLES = ("core", "settlement", "operator", "loadtest")
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]*\S))? *\\?$")
_HASH = re.compile(r"--hash=(\S+)")


@dataclass
class Pinned:
    """A package of a lock; `marker` says where it is installed, empty for everywhere."""

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)


def packages_of(lock: str) -> list[Pinned]:
    """What a lock pins; raises ValueError for a line that is neither a package nor its hash."""
    found: list[Pinned] = []
    for line in lock.splitlines():
        if pinned := _PINNED.match(line):
            found.append(Pinned(pinned["name"], pinned["version"], pinned["marker"] or ""))
        elif hashed := _HASH.search(line):
            found[-1].hashes.append(hashed[1])
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"not understood: {line}")
    return found


@dataclass(frozen=True)
class Installed:
    """A Debian package of an image."""

    name: str
    version: str
    architecture: str


# status.d has the packages that single programs were taken out of
DATABASE = "for file in /var/lib/dpkg/status /var/lib/dpkg/status.d/*; do [ -f $file ] && cat $file && echo; done; true"


def installed_in(image: str) -> list[Installed]:
    """What Debian's database in an image has; CalledProcessError when docker has no such image."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", DATABASE]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return sorted(packages_in(done.stdout), key=lambda each: each.name)


def packages_in(database: str) -> Iterator[Installed]:
    """The packages of paragraphs as dpkg writes them (deb822), but for those that were removed."""
    for paragraph in re.split(r"\n\n+", database.strip()):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "install ok installed").endswith(" installed"):
            yield Installed(fields["Package"], fields["Version"], fields["Architecture"])


def bill_of(name: str, lock: str, installed: Sequence[Installed] = ()) -> str:
    """The bill of a deployable as JSON."""
    known = lock + "".join(f"{each}\n" for each in installed)
    bom = Bom(serial_number=uuid.UUID(bytes=hashlib.sha256(known.encode()).digest()[:16], version=4))
    bom.metadata.timestamp = None  # type: ignore[assignment] # optional in the standard, and never the same twice
    whole = Component(name=f"etebar-{name}", type=ComponentType.APPLICATION, bom_ref=f"etebar-{name}")
    bom.metadata.component = whole
    bom.components.update([*_components(lock), *map(_debian, installed)])
    # neither says which package asked for which
    bom.register_dependency(whole, bom.components)
    text: str = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    return text + "\n"


def _components(lock: str) -> Iterator[Component]:
    for each in packages_of(lock):
        known = [Property(name="etebar:locked-hash", value=one) for one in each.hashes]
        where = [Property(name="etebar:marker", value=each.marker)] if each.marker else []
        url = PackageURL("pypi", None, each.name, each.version)
        # two pins of one name are for different places
        reference = f"{url}#{each.marker}" if each.marker else str(url)
        yield Component(name=each.name, version=each.version, purl=url, bom_ref=reference, properties=[*known, *where])


def _debian(package: Installed) -> Component:
    qualifiers = {"arch": package.architecture, "distro": "trixie"}
    url = PackageURL("deb", "debian", package.name, package.version, qualifiers)
    return Component(name=package.name, version=package.version, purl=url, bom_ref=str(url))


def _lock_of(name: str) -> str:
    return (LOCKS / f"{name}.txt").read_text() if name in DEPLOYABLES else ""


def main(folder: Path, images: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    named = {image.rsplit("/", 1)[-1].split(":")[0].removeprefix("etebar-"): image for image in images}
    for name in named or DEPLOYABLES:
        target = folder / f"etebar-{name}.cdx.json"
        target.write_text(bill_of(name, _lock_of(name), installed_in(named[name]) if named else ()))
        print(f"✓ wrote {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "sbom"), sys.argv[2:])
