"""GET /livez and /readyz"""

import pytest

from tests.web.conftest import Service


def _fails() -> None:
    raise RuntimeError("canary")


def test_it_is_alive(service: Service) -> None:
    assert service.client.get("/livez", status=200).json == {"alive": True}


def test_it_is_ready_when_all_is_well(service: Service) -> None:
    assert service.client.get("/readyz", status=200).json == {
        "ready": True,
        "database": True,
        "redis": True,
        "provider": True,
    }


@pytest.mark.parametrize("check", [_fails, lambda: False])
def test_without_its_database_it_is_not_ready(check) -> None:  # type: ignore[no-untyped-def]
    service = Service(required={"database": check})

    document = service.client.get("/readyz", status=503).json

    assert document["ready"] is False
    assert document["database"] is False


@pytest.mark.parametrize("name", ["redis", "provider"])
def test_the_rest_is_only_reported(name: str) -> None:
    service = Service(reported={"redis": lambda: True, "provider": lambda: None} | {name: _fails})

    response = service.client.get("/readyz", status=200)

    assert response.json[name] is False
    assert "canary" not in response.text
    assert service.client.get("/livez", status=200)
