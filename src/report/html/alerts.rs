//! Budgets and alerts on the page.

use maud::{Markup, html};

use super::parts::table;
use crate::report::view::View;

/// The tables of budgets and alerts, where they were looked at.
pub fn alerts(view: &View<'_>) -> Markup {
    html! {
        @if let Some(alerts) = &view.forecast.alerts {
            @for one in &crate::report::alerts::tables(alerts, &view.forecast.about) { (table(one)) }
        }
    }
}
