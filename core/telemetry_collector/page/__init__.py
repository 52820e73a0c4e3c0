"""The collector's page: the fleet, what it reports over time, and what is in quarantine, for who has a token."""
