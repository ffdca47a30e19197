"""Who may come in, and for how long: sessions of the legacy words and tokens of the REST ones are kept alike."""

import secrets
import sqlite3
from datetime import timedelta

from deploy.portal.parts import Portal
from shared import clock


def same_login(portal: Portal, username: str, password: str) -> bool:
    """Tell whether a name and a password are the province's."""
    named = secrets.compare_digest(username.encode(), portal.settings.portal_username.encode())
    return (
        secrets.compare_digest(password.encode(), portal.settings.portal_password.get_secret_value().encode()) and named
    )


def open_session(db: sqlite3.Connection, session: str, life_s: float, at: str) -> None:
    """Let a session in from now on, and forget those whose life is over."""
    db.execute("delete from session where opened_at <= ?", (_oldest(life_s),))
    db.execute("insert into session (id, opened_at) values (?, ?)", (session, at))


def is_open(db: sqlite3.Connection, session: str, life_s: float) -> bool:
    """Tell whether a session may still be used."""
    found = db.execute("select 1 from session where id = ? and opened_at > ?", (session, _oldest(life_s)))
    return found.fetchone() is not None


def _oldest(life_s: float) -> str:
    return (clock.now() - timedelta(seconds=life_s)).isoformat(timespec="microseconds")
