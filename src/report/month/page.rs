//! Months as a page.

use maud::html;

use crate::report::html::page::{notices, page, picture as drawing};
use crate::report::html::parts::{figures, table};
use crate::report::month::{MonthView, picture};
use crate::report::text::{clean, money, percent};
use crate::report::view::Figure;

impl MonthView<'_> {
    /// One page that needs nothing else.
    pub fn html(&self) -> String {
        let title = clean(&self.about.scenario);
        let figure = |label, value, note: &str| Figure { label, value, note: note.to_owned() };
        let months = &self.projection.months;
        let named =
            |index: usize| months.get(index).map_or_else(String::new, |m| m.month.strftime("%B %Y").to_string());
        let span = if months.len() > 1 { format!("{} to {}", named(0), named(months.len() - 1)) } else { named(0) };
        let bill = &self.projection.whole;
        let mut headline = vec![
            figure("P50: half cost less", money(bill.p50), &span),
            figure("P80: one in 5 costs more", money(bill.p80), &span),
            figure("P95: one in 20 costs more", money(bill.p95), &span),
        ];
        if let Some((budget, over)) = self.budget.zip(months.first().and_then(|month| month.over_budget)) {
            let note = format!("{} in {}", money(budget), named(0));
            headline.push(figure("Over budget: probability", percent(over.point), &note));
        }
        let drawn = picture(self);
        page(
            &title,
            "billcast months",
            &html! { (notices(&self.caveats())) (figures(&headline, true)) },
            &html! {
                section {
                    (table(&self.table()))
                    @if let Some(drawn) = &drawn { (drawing(drawn)) }
                    h3 { "How it is put together" }
                    @for note in self.notes() { p { (note) } }
                }
            },
            &self.stamp(),
        )
    }

    /// A workbook: the months, the days of the first one, and where they come from.
    pub fn xlsx(&self) -> Vec<u8> {
        crate::report::xlsx::months(self)
    }
}
