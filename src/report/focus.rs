//! FOCUS 1.2 cost and usage (FinOps Open Cost and Usage Specification): the charges of the runs at the percentiles of
//! the bill, with all 57 columns and some of our own. What can be named as LiteLLM's own FOCUS export names it is named
//! so (one charge period a UTC day; account = key, sub-account = team, service = model group), so that forecast and
//! actuals can be joined. Each percentile is one simulated run: its rows sum to that percentile of the bill exactly.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::experiment::{ChargeRow, DeploymentRow, Forecast, PercentileRun, ShareRow};
use crate::report::data::{Cell, Dataset};
use crate::report::text::clean;
use crate::units::{Money, TokenKind};

/// Every column: those of FOCUS 1.2 in the order of the alphabet, then our own.
const COLUMNS: &str = "AvailabilityZone BilledCost:money BillingAccountId BillingAccountName BillingAccountType \
    BillingCurrency BillingPeriodEnd:time BillingPeriodStart:time CapacityReservationId CapacityReservationStatus \
    ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd:time ChargePeriodStart:time \
    CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity:money \
    CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity:money ConsumedUnit \
    ContractedCost:money ContractedUnitPrice:money EffectiveCost:money InvoiceId InvoiceIssuerName ListCost:money \
    ListUnitPrice:money PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice:money \
    PricingCurrencyEffectiveCost:money PricingCurrencyListUnitPrice:money PricingQuantity:money PricingUnit \
    ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName \
    ServiceSubcategory SkuId SkuMeter SkuPriceDetails:text SkuPriceId SubAccountId SubAccountName SubAccountType \
    Tags:text x_Scenario x_Percentile x_Cause x_Deployment x_Run:count x_Seed:count x_Runs:count x_Profile \
    x_PricesAsOf";

/// The rows of all percentiles.
pub fn dataset(forecast: &Forecast) -> Dataset {
    let rows = forecast.percentile_charges().flat_map(|(charge, run, deployment, key)| {
        let line = move |part| Line { forecast, run, charge, deployment, key, part }.cells();
        Part::of(charge.kind).iter().copied().map(line)
    });
    Dataset::new("focus", COLUMNS, rows)
}

/// What a row is of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// The fee for capacity, which is billed whatever is used: a purchase, of which no use bears the cost yet.
    Fee,
    /// The use of what the fee has bought: nothing is billed for it, and its effective cost is the fee. What is bought
    /// are hours of capacity, which the deployment uses whether tokens come or not.
    Covered,
}

impl Part {
    const fn of(kind: TokenKind) -> &'static [Self] {
        if matches!(kind, TokenKind::Capacity) { &[Self::Fee, Self::Covered] } else { &[Self::Whole] }
    }
}

/// One charge with what it belongs to.
struct Line<'a> {
    forecast: &'a Forecast,
    run: &'a PercentileRun,
    charge: &'a ChargeRow,
    deployment: &'a DeploymentRow,
    key: &'a ShareRow,
    part: Part,
}

/// What is counted for a kind of charge: the meter, the unit of use, how many of what is counted are
/// priced together and as what.
const fn meter(kind: TokenKind) -> (&'static str, &'static str, u64, &'static str) {
    const MILLION: u64 = 1_000_000;
    match kind {
        TokenKind::Input => ("Input tokens", "Tokens", MILLION, "1000000 Tokens"),
        TokenKind::CacheRead => ("Cache read tokens", "Tokens", MILLION, "1000000 Tokens"),
        TokenKind::CacheWrite => ("Cache write tokens", "Tokens", MILLION, "1000000 Tokens"),
        TokenKind::Output => ("Output tokens", "Tokens", MILLION, "1000000 Tokens"),
        TokenKind::Reasoning => ("Reasoning tokens", "Tokens", MILLION, "1000000 Tokens"),
        TokenKind::Call => ("Calls", "Requests", 1, "Requests"),
        TokenKind::Capacity => ("Paid capacity", "Hours", 3_600, "Hours"),
    }
}

/// How many of what is counted are one unit of use: seconds are told in hours.
const fn counted_as_one(kind: TokenKind) -> u64 {
    if matches!(kind, TokenKind::Capacity) { 3_600 } else { 1 }
}

/// A unit price. That of paid capacity to a millionth of a dollar: a share of it is a whole number of picodollars, and
/// so a few of them off from what its seconds cost.
fn unit_price(kind: TokenKind, price: Money) -> Money {
    const MILLIONTH: u64 = 1_000_000;
    match kind {
        TokenKind::Capacity => Money::from_picos(price.divided_by(MILLIONTH).picos() * i128::from(MILLIONTH)),
        _ => price,
    }
}

/// A number of whole things as an exact decimal.
fn whole(number: u64) -> Money {
    Money::from_picos(i128::from(number) * 1_000_000_000_000)
}

fn midnight(day: Date) -> Timestamp {
    day.at(0, 0, 0, 0).in_tz("UTC").map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}

fn text(text: &str) -> Cell {
    Cell::Text(clean(text))
}

impl Line<'_> {
    /// The model as the gateway's logs name it, without the provider in front: behind a pattern
    /// the one that was called.
    fn resource(&self) -> &str {
        let model = self.charge.model(self.deployment);
        model.strip_prefix(&format!("{}/", self.deployment.provider)).unwrap_or(model)
    }

    fn tags(&self) -> String {
        let mut tags = json!({
            "key": clean(&self.key.name),
            "api_key_alias": clean(&self.key.name),
            "model": clean(self.resource()),
            "model_group": clean(&self.deployment.group),
            "custom_llm_provider": clean(&self.deployment.provider),
        });
        if let Some(team) = &self.key.team {
            tags["team"] = clean(team).into();
            tags["team_alias"] = clean(team).into();
        }
        tags.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = self.accounts();
        cells.extend(self.charges());
        cells.extend(self.prices());
        cells.extend(self.services());
        cells.extend(self.own());
        cells
    }

    /// AvailabilityZone to CapacityReservationStatus.
    fn accounts(&self) -> Vec<Cell> {
        let month = self.charge.day.first_of_month();
        let next = month.checked_add(1.month()).unwrap_or(month);
        vec![
            Cell::Missing,
            self.unless(Part::Covered),
            text(&self.key.name),
            text(&self.key.name),
            text("API Key"),
            text("USD"),
            Cell::Time(midnight(next)),
            Cell::Time(midnight(month)),
            Cell::Missing,
            Cell::Missing,
        ]
    }

    /// ChargeCategory to CommitmentDiscountUnit.
    fn charges(&self) -> Vec<Cell> {
        let (meter, ..) = meter(self.charge.kind);
        let day = self.charge.day;
        let description = format!("{} {meter} (forecast, {})", clean(self.resource()), self.charge.cause.name());
        let (category, frequency) = match self.part {
            Part::Fee => ("Purchase", "Recurring"),
            Part::Whole | Part::Covered => ("Usage", "Usage-Based"),
        };
        let mut cells = vec![text(category), Cell::Missing, text(&description), text(frequency)];
        cells.extend([day.tomorrow().unwrap_or(day), day].map(|day| Cell::Time(midnight(day))));
        cells.extend(self.commitment());
        cells
    }

    /// CommitmentDiscountCategory to CommitmentDiscountUnit.
    fn commitment(&self) -> Vec<Cell> {
        if self.part == Part::Whole {
            return vec![Cell::Missing; 7];
        }
        let name = self.charge.commitment.as_deref().unwrap_or(&self.deployment.name);
        let (_, _, pack, unit) = meter(self.charge.kind);
        vec![
            text("Usage"),
            text(name),
            text(name),
            Cell::Money(whole(self.charge.quantity).divided_by(pack)),
            if self.part == Part::Covered { text("Used") } else { Cell::Missing },
            text("Provisioned capacity"),
            text(unit),
        ]
    }

    /// The amount; nothing in one of the two rows of a fee.
    fn unless(&self, part: Part) -> Cell {
        Cell::Money(if self.part == part { Money::ZERO } else { self.charge.amount })
    }

    /// ConsumedQuantity to PricingUnit. The unit price is what was paid for the quantity: the list price, or the mean
    /// of several where a price changes with the length of the input or the hour.
    fn prices(&self) -> Vec<Cell> {
        let ChargeRow { amount, quantity, kind, .. } = *self.charge;
        let (_, unit, pack, pricing_unit) = meter(kind);
        let packed = amount.picos().checked_mul(i128::from(pack)).filter(|_| quantity > 0);
        let price = packed.map(|picos| unit_price(kind, Money::from_picos(picos).divided_by(quantity)));
        let price = price.map_or(Cell::Missing, Cell::Money);
        let (cost, effective) = (Cell::Money(amount), self.unless(Part::Fee));
        // What is bought is consumed by its use, and not by buying it.
        let is_fee = self.part == Part::Fee;
        let consumed =
            if is_fee { Cell::Missing } else { Cell::Money(whole(quantity).divided_by(counted_as_one(kind))) };
        let consumed_unit = if is_fee { Cell::Missing } else { text(unit) };
        let category = if self.part == Part::Covered { "Committed" } else { "Standard" };
        vec![
            consumed,
            consumed_unit,
            cost.clone(),
            price.clone(),
            effective.clone(),
            Cell::Missing,
            text(&self.deployment.provider),
            cost,
            price.clone(),
            text(category),
            text("USD"),
            price.clone(),
            effective,
            price,
            Cell::Money(whole(quantity).divided_by(pack)),
            text(pricing_unit),
        ]
    }

    /// ProviderName to Tags.
    fn services(&self) -> Vec<Cell> {
        let (deployment, resource) = (self.deployment, self.resource());
        let (meter, ..) = meter(self.charge.kind);
        let sku = format!("{}/{}:{meter}", clean(&deployment.provider), clean(resource));
        let price = format!("{sku}:{}", clean(&self.forecast.about.prices_as_of));
        let team = self.key.team.as_deref();
        let team_cell = || team.map_or(Cell::Missing, text);
        vec![
            text(&deployment.provider),
            text(&deployment.provider),
            Cell::Missing,
            Cell::Missing,
            text(resource),
            text(resource),
            text("LLM"),
            text("AI and Machine Learning"),
            text(&deployment.group),
            text("Generative AI"),
            text(&sku),
            text(meter),
            Cell::Text(json!({ "x_TokenKind": self.charge.kind.name() }).to_string()),
            text(&price),
            team_cell(),
            team_cell(),
            team.map_or(Cell::Missing, |_| text("Team")),
            Cell::Text(self.tags()),
        ]
    }

    /// Our own columns.
    fn own(&self) -> Vec<Cell> {
        let about = &self.forecast.about;
        vec![
            text(&about.scenario),
            text(&format!("p{}", self.run.percentile)),
            text(self.charge.cause.name()),
            text(&self.deployment.name),
            Cell::Count(self.run.run),
            Cell::Count(about.seed),
            Cell::Count(about.runs),
            text(&about.profile),
            text(&about.prices_as_of),
        ]
    }
}
