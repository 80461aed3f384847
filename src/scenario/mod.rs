//! The files of a scenario → one validated, compiled `World`. The only module that reads files.

mod builtin;
mod case;
mod deployments;
mod file;
mod files;
mod gateway;
mod named;
mod prices;
mod problem;
mod read;
mod start;
mod starter;
mod world;

pub use builtin::{Builtin, builtins};
pub use case::{Case, CaseRequest, Departure, read_case};
pub use file::{KeyEntry, ScenarioFile, schema};
pub use files::{Files, Source};
pub use gateway::{GatewayFile, read_gateway};
pub use named::Named;
pub use prices::{BUILT_IN, newest_price_date, read_prices};
pub use problem::Problem;
pub use read::read;
pub use start::Start;
pub use starter::starter;
pub use world::{Assumption, DeploymentName, GATEWAY, KeyName, Names, PROFILE, TroubleName, World};
