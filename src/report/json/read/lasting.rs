//! What lasts for longer than a week, read back.

use super::{Place, Result};
use crate::scenario::Lasting;

/// One such thing.
pub(super) fn lasting(at: &Place<'_>) -> Result<Lasting> {
    let kind = at.at("kind");
    let known = serde_json::from_value(kind.value.clone()).ok();
    Ok(Lasting { kind: kind.or_wrong(known, "a kind of what lasts")?, what: at.string("what")? })
}
