//! The charges of the runs at the percentiles of the bill.

use crate::report::data::{Cell, Dataset, money_or_none, text, text_or_none};
use crate::report::view::View;
use crate::units::{Money, TokenKind};

/// Charge by charge, with what it is for and who causes it.
pub fn charges(view: &View<'_>) -> Dataset {
    let rows = view.forecast.percentile_charges().map(|(charge, run, deployment, key)| {
        let is_of_tokens = charge.quantity > 0 && charge.kind != TokenKind::Capacity;
        let per_million = charge.amount.picos().checked_mul(1_000_000).filter(|_| is_of_tokens);
        vec![
            text(&format!("p{}", run.percentile)),
            Cell::Count(run.run),
            text(&charge.day.to_string()),
            text(&deployment.name),
            text(charge.model(deployment)),
            text(&deployment.provider),
            text(&key.name),
            text_or_none(key.team.as_deref()),
            text(charge.cause.name()),
            text(charge.kind.name()),
            Cell::Count(charge.quantity),
            Cell::Money(charge.amount),
            money_or_none(per_million.map(|picos| Money::from_picos(picos).divided_by(charge.quantity))),
        ]
    });
    let headings = "percentile run:count day_utc deployment model provider key team cause kind quantity:count \
                    cost_usd:money per_1m_usd:money";
    Dataset::new("charges", headings, rows)
}
