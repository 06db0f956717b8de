//! To come.
use super::Named;
pub(super) const CASES: &[Named] = &[];
