"""`motcua keys`: change the keys that tokens are signed with, one step at a time, without a token being refused."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.folder import run_folder, write_json
from gateway.operations.keyring import (
    PUBLISHED_BEFORE,
    KeysRefused,
    KeyState,
    SigningKey,
    add_key,
    new_key,
    promote_key,
    read_keys,
    retire_key,
    written,
)
from shared import clock

TOKENS_LIVE_S = 600
LEEWAY_S = 60
WORDS = {KeyState.NEXT: "published, does not sign yet", KeyState.SIGNING: "signs", KeyState.FORMER: "signed before"}

app = typer.Typer(
    help="The keys that tokens are signed with: add one, promote it after ten minutes, retire the former one later.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
KeyFile = Annotated[
    Path | None, typer.Option("--file", envvar="MOTCUA_SIGNING_KEY_FILE", help="Default: the local stack's.")
]
Kid = Annotated[str, typer.Argument(help="The key's id, or how it begins.")]


@app.command("list", help="List the keys, whether they sign, and since when.")
def list_keys(file: KeyFile = None) -> None:
    """Print the keys of a file."""
    for one in _read(_path(file)):
        typer.echo(f"{one.kid}  {WORDS[one.state]}, since {_shown(one.since)}")


@app.command("add", help="Publish a new key; it does not sign before it is promoted. Makes the file if there is none.")
def add(file: KeyFile = None) -> None:
    """Add a key."""
    path, now = _path(file), clock.now()
    if not path.exists():
        _write(path, [new_key(KeyState.SIGNING, now)], "made the file with a key that signs")
        return
    keys = _refusing(lambda: add_key(_read(path), now))
    _write(path, keys, f"added {keys[-1].kid}; promote it after {_shown(now + PUBLISHED_BEFORE)}")


@app.command("promote", help="Let a published key sign; the one that did stays published until its tokens expired.")
def promote(
    kid: Kid,
    file: KeyFile = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not wait until every verifier knows it.")] = False,
) -> None:
    """Promote a key."""
    path = _path(file)
    keys = _read(path)
    chosen = _whole(keys, kid)
    _write(path, _refusing(lambda: promote_key(keys, chosen, clock.now(), at_once=now)), f"{chosen} signs")


@app.command("retire", help="Take a key out once every token it signed has expired.")
def retire(
    kid: Kid,
    file: KeyFile = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="It was stolen: end it and all its tokens.")] = False,
    lifetime_s: Annotated[
        int, typer.Option(envvar="MOTCUA_TOKEN_LIFETIME_S", help="How long tokens live.", min=1)
    ] = TOKENS_LIVE_S,
) -> None:
    """Retire a key."""
    path = _path(file)
    keys = _read(path)
    chosen = _whole(keys, kid)
    live = timedelta(seconds=lifetime_s + LEEWAY_S)
    _write(
        path,
        _refusing(lambda: retire_key(keys, chosen, clock.now(), tokens_live=live, at_once=now)),
        f"{chosen} is retired",
    )


def _path(file: Path | None) -> Path:
    return file or run_folder().path / "signing-key.json"


def _read(path: Path) -> list[SigningKey]:
    return _refusing(lambda: read_keys(path.read_text(encoding="utf-8")))


def _whole(keys: Sequence[SigningKey], start: str) -> str:
    """Return the id of the one key that begins like this."""
    found = [one.kid for one in keys if one.kid.startswith(start)]
    return found[0] if len(found) == 1 else start


def _write(path: Path, keys: Sequence[SigningKey], done: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    write_json(path, written(keys))
    path.chmod(mode)
    typer.echo(f"✓ {path.name}: {done}. Running gateways take it up within seconds.")


def _refusing(step: Callable[[], list[SigningKey]]) -> list[SigningKey]:
    """Take a step, or say why not and end."""
    try:
        return step()
    except (OSError, KeysRefused) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(1) from None


def _shown(at: datetime) -> str:
    return at.astimezone(clock.VN).strftime("%Y-%m-%d %H:%M:%S")
