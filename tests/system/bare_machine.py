"""A Debian 12 that has Python, its venv module and curl, and nothing else.

A tree made by debootstrap, entered with a mount and a process namespace of its own: when
the first process ends, so does everything it started. The network is the host's, and so is
how pip reaches its index.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.checkout import clone_into

SUITE = "bookworm"
PACKAGES = "python3,python3-venv,curl,ca-certificates"
NEWCOMER = "newcomer"
# Kept between runs: making it takes most of a minute.
_TREE = Path(f"/var/tmp/msty-invoice-tree-{SUITE}")
# What may tell pip and curl how to reach the world, by variables or by files they name.
_NETWORK = ("PIP_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_SECONDS = 900

_ENTER = """
tree=$1 own=$2 home=$3 user=$4; shift 4
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
mount --bind "$own/home" "$tree$home"
mount --bind "$own/tmp" "$tree/tmp"
mount --bind "$own/var-tmp" "$tree/var/tmp"
for file in /etc/resolv.conf /etc/hosts; do
    cat "$file" > "$tree$file"
done
exec chroot --userspec="$user:$user" "$tree" "$@"
"""


@dataclass(frozen=True)
class BareMachine:
    """The tree, with a home of its own for one user, in which a clone lies."""

    tree: Path
    own: Path
    user: str

    @property
    def home(self) -> str:
        return "/root" if self.user == "root" else f"/home/{self.user}"

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a shell script as the user, in the clone. Its output holds both streams."""
        namespaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork"]
        enter = ["--kill-child", "sh", "-euc", _ENTER, "sh", str(self.tree), str(self.own)]
        inside = [self.home, self.user, "sh", "-uc", f"cd ~/clone\n{script}"]
        return subprocess.run(
            [*namespaces, *enter, *inside],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": _PATH, "HOME": self.home, **network_settings()},
            timeout=_TIMEOUT_SECONDS,
        )


@contextmanager
def bare_machine(user: str) -> Iterator[BareMachine]:
    """A fresh clone in the home of `user`; gone afterwards, but for the tree."""
    tree = _tree()
    _bring_certificates(tree)
    own = Path(tempfile.mkdtemp(prefix="msty-machine-", dir="/var/tmp"))
    try:
        clone_into(own / "home" / "clone")
        for name in ("tmp", "var-tmp"):
            (own / name).mkdir()
            (own / name).chmod(0o1777)
        _give(own / "home", tree, user)
        yield BareMachine(tree, own, user)
    finally:
        shutil.rmtree(own)


def network_settings() -> dict[str, str]:
    """How this machine reaches the world."""
    return {n: v for n, v in os.environ.items() if n.upper().startswith(_NETWORK)}


def _bring_certificates(tree: Path) -> None:
    for name, value in network_settings().items():
        if name.upper().endswith(("CERT", "CERT_FILE", "CA_BUNDLE")) and Path(value).is_file():
            inside = tree / value.lstrip("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(value, inside)


def _tree() -> Path:
    if not _TREE.is_dir():
        partial = _TREE.with_suffix(".new")
        shutil.rmtree(partial, ignore_errors=True)
        _check(
            ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, partial, _mirror()]
        )
        _check(["chroot", partial, "useradd", "--create-home", NEWCOMER])
        partial.rename(_TREE)
    return _TREE


def _mirror() -> str:
    """Where this machine's own apt gets Debian from."""
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    found = _check([*wanted, f"Codename: {SUITE}", "Created-By: Packages"])
    return found.split()[0]


def _give(home: Path, tree: Path, user: str) -> None:
    users = (line.split(":") for line in (tree / "etc/passwd").read_text().splitlines())
    uid, gid = next((int(each[2]), int(each[3])) for each in users if each[0] == user)
    home.chmod(0o700)
    for path in (home, *home.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _check(command: list[str | Path]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PATH": _PATH}
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
