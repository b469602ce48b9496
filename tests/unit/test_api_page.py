"""docs/api.md says what the tables in the code say."""

import re
from pathlib import Path

from msty_invoice.config import Config
from msty_invoice.web.errors import ANSWERS, CODES
from msty_invoice.web.operations import OPERATIONS

_DOCS = Path(__file__).parents[2] / "docs"
_PAGE = (_DOCS / "api.md").read_text("utf-8")
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (\d{3}) \| (yes)? ?\| (.+) \|$", re.MULTILINE)
_ELSEWHERE = {"METHOD_NOT_ALLOWED": 405, "SERVER_ERROR": 500}  # of no error of the domain


def test_its_table_of_errors_is_complete_and_right() -> None:
    told = {code: int(status) for code, status, _, _ in _ROW.findall(_PAGE)}

    assert sorted(told) == CODES
    assert told == _ELSEWHERE | {answer.code: answer.status for answer in ANSWERS.values()}


def test_it_says_which_errors_tell_how_long_to_wait() -> None:
    told = {code for code, _, waits, _ in _ROW.findall(_PAGE) if waits}
    answers = ANSWERS.values()

    assert told == {
        answer.code for answer in answers if answer.retry_after_seconds or answer.status == 429
    }


def test_its_numbers_are_the_defaults() -> None:
    config = Config()
    numbers = [
        f"from {config.min_amount_sats} to {config.max_amount_sats:,}",
        f"{config.max_memo_length} characters by default",
        f"{config.rate_limit_per_minute} invoices in any 60 seconds",
        f"read {config.rate_limit_reads_per_minute} times",
        f"{config.rate_limit_hourly} creates an hour",
        f"each such key {config.rate_limit_per_key} a minute",
        f"{config.rate_limit_auth_failures_per_minute} a minute",
    ]

    assert [number for number in numbers if number not in _PAGE] == []


def test_every_address_in_it_is_in_the_contract() -> None:
    addresses = {path.partition("{")[0].rstrip("/") for _, path in OPERATIONS}
    told = set(re.findall(r"/api/lightning/[a-z.-]+", _PAGE))

    assert told
    assert told <= addresses


def test_everything_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", _PAGE)

    assert [link for link in links if not (_DOCS / link).exists()] == []


def test_its_rewrites_are_those_of_the_example() -> None:
    lines = re.search(r"```ts\n(.*?)```", _PAGE, re.DOTALL)
    example = (_DOCS / "clients/nextjs/next.config.ts").read_text("utf-8")

    assert lines
    assert "".join(lines[1].split()) in "".join(example.split())
