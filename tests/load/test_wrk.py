"""wrk's output, and the real wrk against small servers."""

from pathlib import Path

import pytest

from tests.load.answering import answering, order_to
from tests.load.bench.wrk import Load, UnexpectedAnswer, read_output, run_wrk

_OUTPUT = """\
Running 1s test @ http://127.0.0.1:8080/
  2 threads and 16 connections
requests 1234
duration_us 2000000
p50_us 1500.0
p99_us 9000.0
broken 0
refused 0
first 
"""  # noqa: W291 - so it is printed


def test_the_numbers_of_a_load_are_read() -> None:
    assert read_output(_OUTPUT, 0.5) == Load(1234, 2.0, 1.5, 9.0, 0.5)


def test_an_answer_other_than_201_is_told_with_the_first_of_them() -> None:
    output = _OUTPUT.replace("refused 0\nfirst ", 'refused 3\nfirst 429 {"code": "RATE_LIMITED"}')

    with pytest.raises(UnexpectedAnswer, match=r"3 of 1234 .* 429 .*RATE_LIMITED"):
        read_output(output)


def test_a_request_without_an_answer_is_told() -> None:
    with pytest.raises(UnexpectedAnswer, match="2 requests got no answer"):
        read_output(_OUTPUT.replace("broken 0", "broken 2"))


@pytest.mark.usefixtures("wrk")
def test_each_request_comes_from_another_address(tmp_path: Path) -> None:
    with answering(201) as server:
        load = run_wrk(order_to(server), 4, 1, tmp_path / "log")

    assert load.requests > 0
    # The abandoned last ones are counted here and not by wrk.
    assert 0 <= sum(server.addresses.values()) - load.requests <= 4
    assert max(server.addresses.values()) <= -(-sum(server.addresses.values()) // 10_000)
    assert set(server.keys) == {None}


@pytest.mark.usefixtures("wrk")
def test_no_idempotency_key_comes_twice_even_in_two_loads(tmp_path: Path) -> None:
    with answering(201) as server:
        for _ in range(2):
            run_wrk(order_to(server, with_idempotency_key=True), 4, 1, tmp_path / "log")

    assert max(server.keys.values()) == 1


@pytest.mark.usefixtures("wrk")
@pytest.mark.parametrize("status", [200, 429, 503])
def test_the_real_wrk_reports_any_other_status(tmp_path: Path, status: int) -> None:
    with (
        answering(status) as server,
        pytest.raises(UnexpectedAnswer, match=f"not 201; the first: {status} sorry"),
    ):
        run_wrk(order_to(server), 4, 1, tmp_path / "log")
