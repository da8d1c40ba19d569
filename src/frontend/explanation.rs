//! An explanation as JSON.
use crate::engine::explain::Explanation;
use crate::engine::snapshot::Snapshot;
use serde::Serialize;
/// As JSON.
pub fn to_json(_: &Explanation<'_>, _: &Snapshot) -> impl Serialize + use<> {
    serde_json::json!({})
}
