"""Campaign health: daily facts, summaries of them, and which numbers stand out."""
