//! The files of a scenario → one validated, compiled `World`. The only module that reads files.

mod base;
mod builtin;
mod case;
mod catalog;
mod claims;
mod classes;
mod compile;
mod deployments;
mod edit;
mod embeds;
mod file;
mod files;
mod fleet;
mod gateway;
mod load;
mod mixed;
mod named;
mod presets;
mod prices;
mod problem;
mod profile;
mod read;
mod reading;
mod recorded;
mod replay;
mod redirect;
mod start;
mod starter;
mod upstream;
mod world;
mod written;

pub use builtin::{Builtin, builtins};
pub use case::{Case, CaseRequest, Departure, read_case};
pub use catalog::{ModelFacts, model_facts};
pub use claims::{
    Agrees, Claim, Claims, ClaimsFile, Expression, Figure, Operator, Place, Unit, claims_schema, read_claims,
};
pub use compile::Overrides;
pub use edit::{Edit, as_yaml, scalar_text, value_at};
pub use embeds::EmbedsSpec;
pub use file::{BudgetEntry, KeyEntry, ScenarioFile, TrafficEntry, TrafficKeys, UpstreamEntry, UpstreamKeys, schema};
pub use files::{Files, Source};
pub use gateway::{GatewayFile, read_edited_gateway, read_gateway};
pub use load::{Quick, load, load_quick};
pub use mixed::Mixed;
pub use named::Named;
pub use presets::{BuiltinModel, Described, Field, ModelKind, about, builtin_models};
pub use prices::{BUILT_IN, newest_price_date, read_prices};
pub use problem::Problem;
pub use profile::{Curve, ModelProfile, profile};
pub use read::read;
pub use replay::{Loop, ReplayMap, ReplaySpec, Trace, TraceFile};
pub use start::Start;
pub use starter::starter;
pub use world::{ASSUMED_BY, Assumption, Budget, DeploymentName, GATEWAY, KeyName, Names, PROFILE, TroubleName, World};
