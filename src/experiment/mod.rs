//! Replications and what they say together.

mod alerts;
mod assemble;
mod band;
mod command;
mod detail;
mod common;
mod compare;
mod contrast;
mod controls;
mod explain;
mod findings;
mod fold;
mod forecast;
mod gate;
mod metric;
mod next;
mod plan;
mod part;
mod plausible;
mod rare;
mod month;
mod replicate;
mod run;
mod solve;
mod sweep;
mod together;

pub use crate::scenario::{AlertRules, Assumption};
pub use alerts::{
    AlertOutcome, Alerts, AlertsWanted, BudgetError, BudgetLimit, BudgetOutcome, Moments, Period, alerts, alerts_of_run,
};
pub use assemble::{DeploymentLabel, Labels, ShareLabel};
pub use command::with_budgets;
pub use common::Common;
pub use compare::{Arm, Change, Comparison, Controlled, Difference, Direction, PartDifference, Side, compare};
pub use contrast::{Contrast, contrast};
pub use controls::{Control, controls};
pub use detail::{ChargeRow, DayRow, PERCENTILES, PercentileRun, ProviderRow, percentile_runs};
pub use explain::{
    Attributed, Choice, DearRequest, Driver, DriverKind, EdgeStory, ExplainError, Explanation, LimitStory,
    RefusingLimit, RequestEvent, RequestName, RequestStory, Step, WindowStory, explain,
};
pub use findings::FINDING_CODES;
pub use fold::{Fold, money_stats, share};
pub use forecast::{
    About, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow, LatencyStats,
    MeterRow, MoneyBand, MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow, WhyNotRow,
    Window,
};
pub use gate::{Decision, Gate, Level, Limit, Quantity, Relation, Verdict};
pub use metric::{Measure, Metric, Stat};
pub use month::{
    DayBand, MonthError, MonthOptions, MonthRow, PATHS, Projection, month_after, month_ahead, project, weeks,
};
pub use part::{Part, PartError, merge};
pub use plan::{
    Binding, BudgetOf, BudgetPlan, CapacityPlan, Commitment, LimitKind, LimitPlan, Load, MOST_BUDGETS, MOST_GROWTH,
    Missing, Offer, OfferError, Outcome, PlanError, PoolPlan, SoughtBudgets, SpendPeriod, SpendPlan, TokensOf, Wanted,
    plan, seek_budgets,
};
pub use rare::{Rare, rare};
pub use replicate::{Options, Progress, Unwatched, replicate};
pub use run::{forecast, part};
pub use solve::{Answer, Search, Solution, Trial, solve};
pub use sweep::{
    Axis, Bar, Design, Point, Range, Sweep, Swing, Tornado, Values, design, fixed, secret, sweep, swings, tornado,
};
