"""Who may call, and how much a caller may take: every request passes these before it reaches a door."""
