"""Turn what a user requests, or what runs on disk were, into a plan of runs."""
