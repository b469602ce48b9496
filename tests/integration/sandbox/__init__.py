import pytest

# So that a failed assertion in there tells what it saw.
pytest.register_assert_rewrite("tests.integration.sandbox.processes")
