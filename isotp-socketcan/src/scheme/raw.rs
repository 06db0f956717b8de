//! `raw:IFACE` in connection strings.
