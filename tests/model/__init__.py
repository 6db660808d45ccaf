"""The API held to a model of it, at random: `make model`."""

import pytest

# What they assert is shown as that of tests is.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            *("admin_rules", "client_rules", "machine", "moments", "pages"),
            *("schedule_rules", "time_rules", "worker_rules", "world"),
        )
    )
)
