"""The command `motcua audit`: what we ship is what was locked, under licences that permit it, without known holes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.local.folder import ROOT, run_folder

RUNTIME, EVERYTHING = ROOT / "requirements/runtime.lock", ROOT / "requirements/dev.lock"
PERMITTED = re.compile(
    r"\b(MIT(-0)?|MIT License|Apache(-2\.0)?|Apache Software License|(\d-Clause )?BSD( License)?|BSD-\d-Clause|0BSD"
    r"|ISC License \(ISCL\)|ISC|PSF-2\.0|Python Software Foundation License|CNRI-Python|MPL-2\.0"
    r"|Mozilla Public License 2\.0 \(MPL 2\.0\)|Unlicense|Zlib|HPND)(?!\w)"
)
"""Licences under which a library may run in what we ship; the weak copyleft of MPL binds its own files alone."""
REFUSED = re.compile(r"\bA?GPL\b|(?<!Lesser )General Public License|Affero", re.IGNORECASE)
ADVISORIES_S = 300
NOT_LOCKED = frozenset({"motcua", "pip", "setuptools"})
"""Ourselves, and what Python's own venv puts in."""
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<rest>[^\n]*)$", re.MULTILINE)
_console = Console()


class LockWithoutHash(ValueError):
    """A lock has an entry that any file could stand for."""


def locked(lock: Path) -> dict[str, frozenset[str]]:
    """Return the versions of every library in a lock: more than one where systems differ. Raises LockWithoutHash."""
    text = lock.read_text()
    pins = list(_PIN.finditer(text))
    for pin, following in zip(pins, [*pins[1:], None], strict=True):
        if "--hash=sha256:" not in text[pin.start() : following.start() if following else len(text)]:
            raise LockWithoutHash(f"{lock.name}: {pin['name']} has no hash.")
    found: dict[str, frozenset[str]] = {}
    for pin in pins:
        name = _canonical(pin["name"])
        found[name] = found.get(name, frozenset()) | {pin["version"]}
    return found


def installed() -> dict[str, str]:
    """Return the version of every library that is installed here."""
    return {_canonical(one.name): one.version for one in distributions()}


def licence_of(found: Distribution) -> str:
    """Return what a library says of its licence."""
    said = found.metadata
    classifiers = [one.rpartition("::")[2].strip() for one in said.get_all("Classifier") or () if "License ::" in one]
    named = [*(said.get_all("License-Expression") or ()), *classifiers] or [
        one[:60] for one in said.get_all("License") or ()
    ]
    return " / ".join(named)


def forbidden_licences() -> Iterator[str]:
    """Yield each library of the runtime whose licence is not on the list, with what it says."""
    for name in locked(RUNTIME):
        try:
            licence = licence_of(distribution(name))
        except PackageNotFoundError:
            # For another system than this one.
            continue
        if REFUSED.search(licence) or not PERMITTED.search(licence):
            yield f"{name}: {licence or 'says none'}"


def differences() -> Iterator[str]:
    """Yield what is installed otherwise than locked."""
    wanted = locked(EVERYTHING)
    for name, version in installed().items():
        if name not in NOT_LOCKED and version not in wanted.get(name, ()):
            yield f"{name} {version} is installed, locked is {', '.join(wanted.get(name, ())) or 'none'}"


def bill_of_materials(target: Path) -> Mapping[str, Any]:
    """Write a CycloneDX document of what is installed, made by CycloneDX's own tool, and return it."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    subprocess.run([tool, "environment", sys.executable, "-o", target], check=True, capture_output=True)
    return json.loads(target.read_text())


def advisories() -> bool | None:
    """Tell whether no library of the runtime has a known hole; None when that cannot be found out here."""
    tool = shutil.which("pip-audit")
    if tool is None:
        return None
    command = [tool, "--strict", "--require-hashes", "--format", "json", "-r", str(RUNTIME)]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ADVISORIES_S)
        listed = json.loads(found.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    # A library that was skipped was not looked at: that is no clean bill.
    if not listed or any("skip_reason" in one for one in listed):
        return None
    return not any(one["vulns"] for one in listed)


def audit(
    *, strict: Annotated[bool, typer.Option(help="Fail, too, when advisories cannot be looked up.")] = False
) -> None:
    """Check locks, licences and advisories, and write a bill of materials (CycloneDX) to the run folder."""
    folder = run_folder().path
    folder.mkdir(parents=True, exist_ok=True)
    listed = bill_of_materials(folder / "sbom.json")["components"]
    named = {_canonical(one["name"]): one["version"] for one in listed}
    wrong = [*differences(), *(f"not in the bill: {name}" for name in installed().keys() - named.keys() - NOT_LOCKED)]
    wrong += [f"licence not permitted: {one}" for one in forbidden_licences()]
    known = advisories()
    wrong += ["a library has a known hole: see pip-audit"] if known is False else []
    wrong += ["advisories could not be looked up"] if known is None and strict else []
    for one in wrong:
        _console.print(f"[red]✗[/] {one}")
    _console.print(f"{len(named)} libraries, every lock entry with its hash; bill of materials: {folder / 'sbom.json'}")
    if known is None:
        _console.print("[yellow]Advisories were NOT checked[/]: no pip-audit, or no source of advisories is reachable.")
    if wrong:
        raise typer.Exit(1)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
