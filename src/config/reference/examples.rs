//! Complete configurations.

/// From the smallest to one with almost every key.
pub(crate) const EXAMPLES: [&str; 3] = [SMALL, LARGE, EVERYTHING];

pub(super) const SMALL: &str = include_str!("../../../fixtures/reference/small.yaml");
pub(super) const LARGE: &str = include_str!("../../../fixtures/reference/large.yaml");
const EVERYTHING: &str = include_str!("../../../fixtures/reference/everything.yaml");
