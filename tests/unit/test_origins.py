"""The list of origins, as strict as a browser is."""

from pathlib import Path

import pytest

from msty_invoice.origins import OriginsUnusable, ensure_origin, origin_of, read_origins


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "https://shop.example:8443",
        "https://xn--bcher-kva.example",
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "http://localhost",
        "http://localhost:3000",
        "http://pay.localhost:3000",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ],
)
def test_what_a_browser_writes_is_an_origin(origin: str) -> None:
    assert ensure_origin(origin) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/pay",
        "https://shop.example?x",
        "https://Shop.example",
        "HTTPS://shop.example",
        "https://shop.example:443",
        "http://localhost:80",
        "https://shop.example:0",
        "https://shop.example:65536",
        "https://shop.example:",
        "https://user@shop.example",
        "https://*.shop.example",
        "https://-shop.example",
        "https://shop..example",
        "https://bücher.example",
        "http://shop.example",
        "http://192.0.2.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "ftp://shop.example",
        "https://shop.example\n",
        'https://shop.example" 1; #',
        "https://a.example https://b.example",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        ensure_origin(text)


def test_a_file_has_one_origin_in_a_line_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "origins"
    path.write_text(
        "# the shop\nhttps://shop.example  # since May\n\n  https://blog.example\n"
        "https://shop.example\n"
    )

    assert read_origins(path) == ("https://shop.example", "https://blog.example")


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "origins"
    path.write_text("https://shop.example\nhttp://blog.example\n")

    with pytest.raises(OriginsUnusable, match=r"line 2: 'http://blog\.example' must start with"):
        read_origins(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not-utf-8"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "origins"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(OriginsUnusable, match="origins cannot be read"):
        read_origins(path)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pay.example", "https://pay.example"),
        ("https://Pay.Example:443/pay/", "https://pay.example"),
        ("http://127.0.0.1:8080/x?y", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_origin_of_a_page_is_what_its_browser_sends(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["https://", "https:///pay", "https://pay.example:port"])
def test_a_url_of_no_host_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)
