//! The files of a scenario → one validated, compiled `World`. The only module that reads files.

mod base;
mod builtin;
mod case;
mod claims;
mod classes;
mod compile;
mod deployments;
mod edit;
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
mod read;
mod reading;
mod recorded;
mod replay;
mod redirect;
mod start;
mod starter;
mod upstream;
mod world;

pub use builtin::{Builtin, builtins};
pub use case::{Case, CaseRequest, Departure, read_case};
pub use claims::{
    Agrees, Claim, Claims, ClaimsFile, Expression, Figure, Operator, Place, Unit, claims_schema, read_claims,
};
pub use compile::Overrides;
pub use edit::Edit;
pub use file::{KeyEntry, ScenarioFile, TrafficEntry, TrafficKeys, UpstreamEntry, UpstreamKeys, schema};
pub use files::{Files, Source};
pub use gateway::{GatewayFile, read_edited_gateway, read_gateway};
pub use load::{Quick, load, load_quick};
pub use mixed::Mixed;
pub use named::Named;
pub use presets::{BuiltinModel, ModelKind, about, builtin_models};
pub use prices::{BUILT_IN, newest_price_date, read_prices};
pub use problem::Problem;
pub use read::read;
pub use replay::{Loop, ReplayMap, ReplaySpec, Trace, TraceFile};
pub use start::Start;
pub use starter::starter;
pub use world::{Assumption, DeploymentName, GATEWAY, KeyName, Names, PROFILE, TroubleName, World};
