"""Who may do what: roles, tokens, certificates, and the audit log of what was done."""
