"""What people and programs are told."""

import json

from tests.load.bench.cases import Case
from tests.load.bench.goals import OURS, PEER
from tests.load.bench.report import as_json, table, verdicts
from tests.load.conftest import sample


def test_a_row_has_the_median_and_the_range() -> None:
    row = table({OURS: [sample(rate=90), sample(rate=100), sample(rate=150)]}).splitlines()[-1]

    expected = "msty, 5 workers, 0 ms 100 90–150 10.0 20.0 1000 500 90 80 20.0 3"
    assert row.split() == expected.split(" ")


def test_columns_stand_below_their_heads() -> None:
    *_, head, row = table({Case("msty", 17, 200): [sample()]}).splitlines()

    assert len(head) == len(row)


def test_a_verdict_says_met_missed_or_not_measured() -> None:
    lines = verdicts({OURS: [sample(rate=700, mib=50)], PEER: [sample(rate=100)]}).splitlines()

    assert [line.split()[0] for line in lines] == [
        "met",
        "not",
        "not",
        "MISSED",
        "not",
        "not",
        "MISSED",
    ]


def test_the_json_has_every_measurement_and_the_caveat() -> None:
    document = json.loads(json.dumps(as_json({OURS: [sample(), sample()]}, {"rounds": 2})))

    assert document["rounds"] == 2
    assert len(document["cases"][0]["rounds"]) == 2
    assert document["goals"][-1]["met"] is True
    assert "FakeWallet" in document["caveat"]
