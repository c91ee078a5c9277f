"""The list of campaigns."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from services import numbering, words
from services.campaigns import CampaignRow


def table(rows: Sequence[CampaignRow], *, with_tenant: bool) -> None:
    """Draw a line for each campaign."""
    frame = pd.DataFrame(
        {
            "Campaign": [row.name for row in rows],
            "Status": [[words.CAMPAIGN[row.status]] for row in rows],
            "Primary number": [numbering.display(row.primary_number) if row.primary_number else "—" for row in rows],
            "Numbers in pool": [row.pool for row in rows],
        }
    )
    if with_tenant:
        frame.insert(1, "Tenant", [row.tenant for row in rows])
    colors = ["green" if word == "Active" else "gray" for word in words.CAMPAIGN.values()]
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        alt="Campaigns",
        column_config={
            "Status": st.column_config.MultiselectColumn(options=list(words.CAMPAIGN.values()), color=colors, width=110)
        },
    )
