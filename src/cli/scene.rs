//! What a config is priced under: a scenario, a scenario with another config, or one that is assumed.

use crate::cli::stop::Stop;
use crate::cli::values::shell_word;
use crate::scenario::{Edit, Overrides, Problem, Quick, Room, World, load, load_quick};

/// A scenario that can be compiled again with changes.
#[derive(Debug)]
pub enum Scene {
    /// A scenario.
    Scenario(String),
    /// A scenario whose gateway config is another one.
    Under {
        /// The config.
        config: String,
        /// The scenario.
        scenario: String,
    },
    /// A config with flags.
    Assumed {
        /// The config and the flags.
        quick: Box<Quick>,
        /// The rate as it is written.
        rate: String,
    },
}

impl Scene {
    /// A scenario with its own config.
    pub fn scenario(name: &str) -> Self {
        Self::Scenario(name.to_owned())
    }

    /// A scenario with another config.
    pub fn config_under(config: &str, scenario: &str) -> Self {
        Self::Under { config: config.to_owned(), scenario: scenario.to_owned() }
    }

    /// A config with a rate of chats.
    pub fn assumed(config: &str, rate: &str) -> Result<Self, Stop> {
        if config == "-" {
            return Err(Stop::Usage("a config from stdin cannot be priced: it is read more than once".to_owned()));
        }
        let per_second = rate.parse().map_err(|error| Stop::Usage(format!("--rate: {error}")))?;
        let (config, preset) = (config.to_owned(), "chat".to_owned());
        let quick = Quick { config, rate: per_second, preset, model: None, hours: None, start: None };
        Ok(Self::Assumed { quick: Box::new(quick), rate: rate.to_owned() })
    }

    /// Compiles it.
    pub fn load(&self) -> Result<World, Problem> {
        self.load_with(Vec::new(), &Room::default())
    }

    /// Compiles it with changes. Its runs tell here that they are worth nothing.
    pub fn load_with(&self, edits: Vec<Edit>, room: &Room) -> Result<World, Problem> {
        let overrides = Overrides { edits, room: room.clone(), ..Overrides::default() };
        match self {
            Self::Scenario(name) => load(name, &overrides),
            Self::Under { config, scenario } => {
                load(scenario, &Overrides { gateway: Some(config.clone()), ..overrides })
            }
            Self::Assumed { quick, .. } => load_quick(quick, &overrides),
        }
    }

    /// What it is, for a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Scenario(name) => format!("the scenario {name}"),
            Self::Under { scenario, .. } => format!("the scenario {scenario} with this config"),
            Self::Assumed { rate, .. } => {
                format!("an assumed load: {rate} of the chat preset for 48 h, providers as in their presets")
            }
        }
    }

    /// The command that simulates it.
    pub fn command(&self) -> String {
        match self {
            Self::Scenario(name) => format!("billcast run {}", shell_word(name)),
            Self::Under { config, scenario } => {
                // A scenario's own paths start from its folder.
                let full = std::path::Path::new(config).canonicalize();
                let config = full.map_or_else(|_| config.clone(), |path| path.to_string_lossy().into_owned());
                format!("billcast run {} --set {}", shell_word(scenario), shell_word(&format!("gateway={config}")))
            }
            Self::Assumed { quick, rate } => {
                format!("billcast run --config {} --rate {}", shell_word(&quick.config), shell_word(rate))
            }
        }
    }
}
