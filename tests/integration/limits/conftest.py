"""The running service with the limits and the workers of a deployment."""

import pytest

from tests.integration.limits.asking import new_address

SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def service_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    origins = tmp_path_factory.mktemp("origins") / "origins"
    origins.write_text(f"{SHOP}\nhttp://127.0.0.1\n")
    return {
        "CREATE_WORKERS": "5",
        "RATE_LIMIT_PER_MINUTE": "50",
        "ORIGINS_FILE": str(origins),
    }


@pytest.fixture
def address() -> str:
    """An address that nobody has asked from."""
    return new_address()
