//! `raw:`, `kernel:` and `socketcan:` in connection strings.
