"""Where a checkout keeps its databases."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from msty_invoice.dev.account import ordinary_account
from msty_invoice.dev.places import Places, find_places


@pytest.fixture
def too_long(tmp_path: Path) -> Path:
    """A checkout in which a socket's path would have more than 107 bytes."""
    checkout = tmp_path / ("x" * 90)
    checkout.mkdir()
    return checkout


@pytest.fixture
def places(too_long: Path) -> Iterator[Places]:
    """For ourselves, whoever we are."""
    found = find_places(too_long, None)
    yield found
    shutil.rmtree(found.servers)


def _private_folders() -> set[Path]:
    return {each for each in Path("/var/tmp").glob("msty-invoice-*") if each.is_dir()}


def test_a_path_too_long_for_a_socket_gets_a_private_folder_elsewhere(places: Places) -> None:
    assert len(str(places.servers)) < 70
    assert places.servers.stat().st_mode & 0o777 == 0o700


def test_the_private_folder_is_found_again(places: Places) -> None:
    assert find_places(places.checkout, None).servers == places.servers


def test_a_private_folder_that_others_may_enter_is_not_trusted(places: Places) -> None:
    places.servers.chmod(0o755)

    again = find_places(places.checkout, None).servers

    assert again != places.servers
    again.rmdir()


def test_a_choice_that_cannot_be_remembered_leaves_nothing(too_long: Path) -> None:
    (too_long / ".dev" / "servers").mkdir(parents=True)
    before = _private_folders()

    with pytest.raises(IsADirectoryError):
        find_places(too_long, ordinary_account())

    assert _private_folders() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: cannot run a server as another user")
def test_as_root_the_folder_belongs_to_whom_the_database_runs_as() -> None:
    checkout = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))
    account = ordinary_account()
    assert account is not None

    servers = find_places(checkout, account).servers

    assert servers.stat().st_uid == account.uid
    servers.rmdir()
    shutil.rmtree(checkout)


def test_an_ordinary_user_has_everything_in_the_checkout() -> None:
    checkout = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))

    assert find_places(checkout, None).servers == checkout / ".dev"

    shutil.rmtree(checkout)
