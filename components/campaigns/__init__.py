"""The list of campaigns, and a campaign's page."""
