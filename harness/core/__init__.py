"""Ground floor: errors, files, leases, signals, progress, seeds; nothing about re-identification."""
