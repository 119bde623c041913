"""The cohort reports that the sample has saved."""

from typing import Any

Data = dict[str, Any]

NEWCOMERS: Data = {
    "entry": {"did": "FIRST_VISIT"},
    "return": {"did": "VISIT"},
    "unit": "USER",
    "periods": {"first": 1, "last": 7},
    "baseDates": {"last": 28},
    "breakdown": {"by": "SOURCE", "most": 3},
}
"""New people, by what led them to the shop on their first day."""
RETENTION: Data = {"preset": "RETENTION_7_DAYS", "denominator": "BASE_METRIC"}
"""The report that marketers know: devices, day by day."""
REVENUE: Data = {
    "entry": {"did": "SIGN_UP"},
    "unit": "MEMBER",
    "metric": "REVENUE",
    "mode": "ON_OR_BEFORE",
    "countsFrom": 0,
    "granularity": "WEEK",
    "periods": {"first": 0, "last": 3},
    "baseDates": {"last": 28},
}
"""What members have spent since they signed up, for each head."""

SAVED = {
    "첫방문 고객의 재방문 · Do newcomers come back": ("RATIO", NEWCOMERS),
    "7일 유지율 · Retention over seven days": ("RATIO", RETENTION),
    "가입 후 누적 매출 · Revenue since signing up": ("RATIO", REVENUE),
}
"""By name: what their cells show, and what they are asked for."""
