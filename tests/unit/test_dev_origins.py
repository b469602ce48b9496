"""The origins that bin/dev lists."""

from pathlib import Path

from msty_invoice.dev.origins import list_origins
from msty_invoice.origins import read_origins

OURS = ("http://127.0.0.1:8080", "http://localhost:8080")


def test_a_new_list_has_our_own_pages(tmp_path: Path) -> None:
    list_origins(tmp_path / "origins", 8080)

    assert read_origins(tmp_path / "origins") == OURS


def test_what_its_owner_wrote_stays_and_nothing_is_listed_twice(tmp_path: Path) -> None:
    path = tmp_path / "origins"
    path.write_text("http://localhost:3000 # the shop's page\nhttp://localhost:8080")

    for _ in range(2):
        list_origins(path, 8080)

    assert path.read_text().count("8080") == 2
    assert path.read_text().startswith("http://localhost:3000 # the shop's page\n")
    assert read_origins(path) == ("http://localhost:3000", *reversed(OURS))
