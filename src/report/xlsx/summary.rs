//! The first sheet: how much, how sure, why, and what if it goes wrong, on one screen; every figure a formula.

use rust_xlsxwriter::{Format, Formula, Worksheet, XlsxError};

use crate::report::data::dataset;
use crate::report::text::dollars;
use crate::report::xlsx::sheet::fitting;
use crate::report::xlsx::{Book, SHEETS, charts};

/// Characters that a line of an answer has room for.
const LINE: usize = 100;
/// How many lines of causes and models the summary shows.
const MOST_LINES: usize = 7;

/// The next free row.
struct Pen<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
}

impl Pen<'_> {
    fn text(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, column, fitting(text), format)?;
        Ok(())
    }

    /// A formula with the value that it has now, for readers that do not calculate.
    fn formula(&mut self, column: u16, formula: &str, value: f64, format: &Format) -> Result<(), XlsxError> {
        let formula = Formula::new(formula).set_result(value.to_string());
        self.sheet.write_formula_with_format(self.row, column, formula, format)?;
        Ok(())
    }

    /// A label, a figure and what belongs to it.
    fn line(
        &mut self,
        label: (&str, &Format),
        figure: (&str, f64, &Format),
        note: (&str, &Format),
    ) -> Result<(), XlsxError> {
        self.text(0, label.0, label.1)?;
        self.formula(1, figure.0, figure.1, figure.2)?;
        self.text(2, note.0, note.1)?;
        self.row += 1;
        Ok(())
    }

    fn section(&mut self, titles: [&str; 3], format: &Format) -> Result<(), XlsxError> {
        self.row += 1;
        for (column, title) in (0u16..).zip(titles) {
            self.text(column, title, format)?;
        }
        self.row += 1;
        Ok(())
    }
}

impl Book<'_> {
    /// Fills the first sheet.
    pub fn summary(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name("Summary")?;
        sheet.set_column_width(0, 34)?;
        sheet.set_column_width(1, 20)?;
        sheet.set_column_width(2, 74)?;
        sheet.set_landscape();
        sheet.set_print_fit_to_pages(1, 1);
        sheet.set_footer(format!("&L{}", self.view.stamp.replace('&', "&&")));
        let mut pen = Pen { sheet, row: 0 };
        self.head(&mut pen)?;
        self.headline(&mut pen)?;
        self.answers(&mut pen)?;
        self.causes(&mut pen)?;
        self.models(&mut pen)?;
        self.units(&mut pen)?;
        self.checks(&mut pen)?;
        self.method(&mut pen)?;
        for (row, table, name) in [(1, "causes", "By cause"), (17, "hours", "Hourly")] {
            if let Some(chart) = dataset(self.data, table).and_then(|data| charts::of(name, data)) {
                pen.sheet.insert_chart(row, 4, &chart)?;
            }
        }
        Ok(())
    }

    /// What it is, and what limits the trust in it.
    fn head(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.sheet.set_row_height(0, 30)?;
        pen.text(0, &self.view.title, &styles.title)?;
        pen.sheet.merge_range(1, 0, 1, 2, &fitting(&self.view.stamp), &styles.stamp)?;
        pen.row = 2;
        if !self.view.caveats.is_empty() {
            let caveats = self.view.caveats.join(" ");
            pen.sheet.set_row_height(2, lines_height(&caveats))?;
            pen.sheet.merge_range(2, 0, 2, 2, &fitting(&caveats), &styles.caveat)?;
            pen.row = 3;
        }
        Ok(())
    }

    /// The bill, and whether the budget holds.
    fn headline(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let (styles, forecast) = (self.styles, self.view.forecast);
        let (bills, bill) = (self.range("runs", "bill_usd"), &forecast.bill);
        let notes: Vec<&str> = self.view.headline.iter().map(|figure| figure.note.as_str()).collect();
        // The smallest bill that so many runs do not exceed; a sliver is taken off so that 0.95 · 20 is 19.
        let rank = |share: f64| format!("=SMALL({bills},MAX(1,ROUNDUP({share}*COUNT({bills})-0.000000001,0)))");
        let big = |formula: &str, value: f64, pen: &mut Pen<'_>, name: &str, note: &str| {
            pen.sheet.set_row_height(pen.row, 22)?;
            pen.line((name, &styles.label), (formula, value, &styles.headline), (note, &styles.note))
        };
        big(&rank(0.5), dollars(bill.p50), pen, "P50: half cost less", notes[0])?;
        big(&rank(0.8), dollars(bill.p80), pen, "P80: one in 5 costs more", notes[1])?;
        big(&rank(0.95), dollars(bill.p95), pen, "P95: one in 20 costs more", notes[2])?;
        big(&format!("=AVERAGE({bills})"), dollars(bill.mean), pen, "Mean bill", "over all runs")?;
        self.budget(pen, &bills)
    }

    fn budget(&self, pen: &mut Pen<'_>, bills: &str) -> Result<(), XlsxError> {
        let (styles, forecast) = (self.styles, self.view.forecast);
        let cell = format!("$B${}", pen.row + 1);
        pen.text(0, "Budget (change it)", &styles.label)?;
        let budget = forecast.budget.horizon;
        match budget {
            Some(amount) => pen.sheet.write_number_with_format(pen.row, 1, dollars(amount), &styles.input)?,
            None => pen.sheet.write_blank(pen.row, 1, &styles.input)?,
        };
        pen.text(2, "US dollars for one run; the next line follows", &styles.note)?;
        pen.row += 1;
        let formula = format!("=IF(ISNUMBER({cell}),COUNTIF({bills},\">\"&{cell})/COUNT({bills}),\"no budget\")");
        let over = self.view.budget.as_ref().map(|budget| budget.probability.point.to_string());
        let note = self.view.budget.as_ref().map_or_else(String::new, |budget| budget.odds(forecast.about.runs));
        let formula = Formula::new(formula).set_result(over.unwrap_or_else(|| "no budget".to_owned()));
        pen.sheet.set_row_height(pen.row, 22)?;
        pen.text(0, "Probability over budget", &styles.label)?;
        pen.sheet.write_formula_with_format(pen.row, 1, formula, &styles.headline_share)?;
        pen.text(2, &note, &styles.note)?;
        pen.row += 1;
        Ok(())
    }

    /// How much, how sure, why, what if it goes wrong; the budget and the month.
    fn answers(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let (styles, view) = (self.styles, self.view);
        let (budget, month) = (view.budget_story.join(" "), view.month_story.join(" "));
        let story = view.story.iter().map(|answer| (answer.question, answer.text.as_str()));
        pen.row += 1;
        for (question, answer) in story.chain([("Budget", budget.as_str()), ("Month", month.as_str())]) {
            pen.text(0, question, &styles.label)?;
            pen.sheet.merge_range(pen.row, 1, pen.row, 2, &fitting(answer), &styles.wrapped)?;
            pen.sheet.set_row_height(pen.row, lines_height(answer))?;
            pen.row += 1;
        }
        Ok(())
    }

    fn causes(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.section(["Why it costs that", "Mean, US dollars", "When"], &styles.section)?;
        for (index, line) in self.view.causes.iter().enumerate() {
            let column = self.range("runs", &format!("{}_usd", line.cause.name()));
            let formula = format!("=AVERAGE({column})");
            let figure = (formula.as_str(), dollars(line.amount), &styles.money);
            debug_assert!(index < MOST_LINES, "one line for each cause");
            pen.line((line.label, &styles.text), figure, (line.meaning, &styles.note))?;
        }
        Ok(())
    }

    fn models(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.section(["Dearest models", "Mean, US dollars", "Share of the bill"], &styles.section)?;
        let place = dataset(self.data, "models").and_then(|data| data.column("bill_mean_usd")).unwrap_or_default();
        let letter = super::sheet::letters(place);
        let total = self.range("models", "bill_mean_usd");
        for (row, model) in (2..).zip(self.view.models.iter().take(MOST_LINES)) {
            let cell = format!("'By model'!${letter}${row}");
            pen.text(0, &model.name, &styles.text)?;
            if !model.priced {
                pen.text(1, "unpriced", &left(&styles.text))?;
                pen.row += 1;
                continue;
            }
            pen.formula(1, &format!("={cell}"), dollars(model.bill_mean), &styles.money)?;
            let share = format!("=IF(SUM({total})>0,{cell}/SUM({total}),0)");
            pen.formula(2, &share, model.share, &left(&styles.share))?;
            pen.row += 1;
        }
        Ok(())
    }

    fn units(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.section(["What a unit costs", "US dollars", "How it is reckoned"], &styles.section)?;
        let (bills, requests) = (self.range("runs", "bill_usd"), self.range("runs", "requests"));
        let served = self.range("runs", "served");
        // Tokens without a price are no part of what the bill is for: their cost is an empty cell.
        let [input, output, cost] = ["input_tokens_mean", "output_tokens_mean", "bill_mean_usd"]
            .map(|column| self.range("deployments", column));
        let mean = format!("AVERAGE({bills})");
        let tokens = format!("SUMPRODUCT(ISNUMBER({cost})*({input}+{output}))");
        let formulas = [
            format!("=IF(SUM({requests})>0,1000*SUM({bills})/SUM({requests}),0)"),
            format!("=IF(SUM({served})>0,1000*SUM({bills})/SUM({served}),0)"),
            format!("=IF({tokens}>0,1000000*{mean}/{tokens},0)"),
        ];
        let units = &self.view.unit_costs;
        let values = [units.per_1k_requests, units.per_1k_served, units.per_million_tokens];
        for ((figure, formula), value) in self.view.unit_figures().iter().zip(&formulas).zip(values) {
            let value = value.map_or(0.0, dollars);
            let figures = (formula.as_str(), value, &styles.fine_money);
            pen.line((figure.label, &styles.text), figures, (&figure.note, &styles.note))?;
        }
        Ok(())
    }

    /// Every breakdown has the total of the runs.
    fn checks(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.section(["Checks", "Difference", "Should be zero: the sheet's total less the mean bill"], &styles.section)?;
        let mean = format!("AVERAGE({})", self.range("runs", "bill_usd"));
        let sheets = [
            ("causes", "mean_usd"),
            ("models", "bill_mean_usd"),
            ("teams", "bill_mean_usd"),
            ("keys", "bill_mean_usd"),
            ("classes", "bill_mean_usd"),
            ("deployments", "bill_mean_usd"),
        ];
        for (table, column) in sheets {
            let name = SHEETS.iter().find(|(known, _)| *known == table).map_or("", |(_, label)| label);
            let formula = format!("=ROUND(SUM({})-{mean},6)", self.range(table, column));
            pen.line((name, &styles.text), (&formula, 0.0, &styles.money), ("", &styles.note))?;
        }
        Ok(())
    }

    fn method(&self, pen: &mut Pen<'_>) -> Result<(), XlsxError> {
        let styles = self.styles;
        pen.section(["Where it comes from", "", ""], &styles.section)?;
        for (label, value) in &self.view.facts {
            pen.text(0, label, &styles.text)?;
            pen.sheet.merge_range(pen.row, 1, pen.row, 2, &fitting(value), &styles.text)?;
            pen.row += 1;
        }
        pen.text(0, "The same result again", &styles.text)?;
        pen.sheet.merge_range(pen.row, 1, pen.row, 2, &fitting(&self.view.command), &styles.text)?;
        Ok(())
    }
}

/// The same format, flush left, as the notes are.
fn left(format: &Format) -> Format {
    format.clone().set_align(rust_xlsxwriter::FormatAlign::Left).set_indent(1)
}

/// The height of a row that has room for a text, in points.
fn lines_height(text: &str) -> f64 {
    15.0 * text.chars().count().div_ceil(LINE).clamp(1, 20) as f64 + 3.0
}
