"""What a page of a list costs, beside the same rows in `st.dataframe`: `python -m benchmarks.listing [ROWS]`.

Both are drawn in turn in one run of a page: the time is the server's, the size what a browser is sent.
"""

import sys
from statistics import median

from streamlit.testing.v1 import AppTest

ROUNDS = 100


def drawn(rows: int, rounds: int) -> None:
    import time as clock
    from datetime import UTC, datetime, timedelta
    from typing import Any
    from zoneinfo import ZoneInfo

    import pandas as pd
    import streamlit as st

    from components.ui.listing.table import badges, number, table, text, time

    now = datetime.now(UTC)
    found: list[dict[str, Any]] = [
        {"id": i, "number": f"+1 415 555 {i:04}", "agent": "Maya (sales)", "made": now - timedelta(hours=i)}
        for i in range(rows)
    ]
    columns: list[Any] = [
        number("number", lambda row: row["number"], lambda row: None, address=lambda row: f"/number?id={row['id']}"),
        badges("status", "Status", lambda row: ["Active", "Twilio"], {"Active": "green", "Twilio": "outline"}),
        text("agent", "Inbound Agent", lambda row: row["agent"]),
        text("provider", "Provider", lambda row: "SIP trunk Denver · Generic SIP"),
        text("name", "Name", lambda row: "Reminder line Harbour"),
        time("created", "Created", lambda row: row["made"], ZoneInfo("UTC")),
    ]
    colored = st.column_config.MultiselectColumn("Status", options=["Active", "Twilio"], color=["green", "blue"])
    times: dict[str, list[float]] = {"listing": [], "st.dataframe": []}
    for turn in range(rounds):
        began = clock.perf_counter()
        table("Numbers", found, columns, key=f"listing_{turn}", of=lambda row: row["id"])
        between = clock.perf_counter()
        frame = pd.DataFrame(
            {
                "number": [row["number"] for row in found],
                "status": [["Active", "Twilio"] for _ in found],
                "agent": [row["agent"] for row in found],
                "provider": ["SIP trunk Denver · Generic SIP" for _ in found],
                "name": ["Reminder line Harbour" for _ in found],
                "created": pd.to_datetime([row["made"] for row in found], utc=True),
                "link": [f"/number?id={row['id']}&tenant=1" for row in found],
            }
        )
        config: dict[str, Any] = {
            "number": st.column_config.ButtonColumn("Number", key=f"clicked_{turn}", on_click=lambda: None),
            "status": colored,
            "created": st.column_config.DatetimeColumn("Created", format="distance"),
            "link": st.column_config.LinkColumn(""),
        }
        st.dataframe(frame, hide_index=True, key=f"grid_{turn}", alt="Numbers", column_config=config)
        times["listing"].append(between - began)
        times["st.dataframe"].append(clock.perf_counter() - between)
    st.session_state["times"] = times


def main(rows: int) -> None:
    tab = AppTest.from_function(drawn, args=(rows, ROUNDS), default_timeout=120).run()
    assert not tab.exception
    sizes = {
        "listing": tab.get("bidi_component")[0].proto.ByteSize(),
        "st.dataframe": tab.dataframe[0].proto.ByteSize(),
    }
    for name, taken in tab.session_state["times"].items():
        sys.stdout.write(f"{name:14} {median(taken) * 1000:6.2f} ms {sizes[name]:7,} bytes\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
