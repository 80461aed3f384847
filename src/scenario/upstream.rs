//! The providers of a scenario: which model each deployment follows, and whose fate it shares.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::codes;
use crate::gateway::litellm::wire::nearest;
use crate::provider::{Cost, Counted, Deployment, Limits, ProviderError, ProviderModel, Providers, Trouble};
use crate::random::Calendar;
use crate::scenario::classes::unknown;
use crate::scenario::file::UpstreamEntry;
use crate::scenario::presets::{Described, ModelKind, Preset, preset};
use crate::scenario::problem::Problem;
use crate::scenario::reading::{Reading, assume_preset};
use crate::scenario::retired::End;
use crate::scenario::world::{DeploymentName, TroubleName};
use crate::units::SimDuration;

/// Providers, with the names of their troubles.
pub type Compiled = (Arc<Providers>, Vec<TroubleName>);

/// No preset at all: the entry says everything itself.
const NO_PRESET: &str = "none";
/// The preset for providers without one of their own.
const STAND_IN: &str = "openai";

/// One of the places that say something about a deployment, the most specific first.
struct Level {
    /// Whose fate it is: deployments with the same owner share it.
    owner: String,
    /// The key under `upstream`, if the user wrote it.
    entry: Option<String>,
    model: ProviderModel,
}

/// What is known of the deployments' models, by deployment.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What calls cost.
    pub costs: &'a [Cost],
    /// Which are retired before the run is over.
    pub ends: &'a [Option<End>],
}

/// Collects the world's lists.
struct Builder<'a> {
    calendar: &'a Calendar,
    deployments: Vec<Deployment>,
    troubles: Vec<Trouble>,
    names: Vec<TroubleName>,
    limits: Vec<Limits>,
    known: Known<'a>,
    known_troubles: HashMap<String, usize>,
    known_limits: HashMap<String, Option<usize>>,
    presets: HashMap<String, ProviderModel>,
}

/// Compiles the providers of all deployments, and notes the limits that they set beside the deployments' names.
pub fn compile(
    reading: &mut Reading,
    deployments: &mut [DeploymentName],
    groups: &[String],
    calendar: &Calendar,
    known: Known<'_>,
) -> Result<Compiled, Problem> {
    check_entries(reading, deployments, groups)?;
    let mut builder = Builder {
        calendar,
        deployments: Vec::new(),
        troubles: Vec::new(),
        names: Vec::new(),
        limits: Vec::new(),
        known,
        known_troubles: HashMap::new(),
        known_limits: HashMap::new(),
        presets: HashMap::new(),
    };
    for deployment in deployments {
        builder.add(reading, deployment, &groups[deployment.group.index()])?;
    }
    let Builder { deployments, troubles, names, limits, .. } = builder;
    let providers = Providers::new(deployments, troubles, limits)
        .map_err(|error| reading.error(codes::SCENARIO_VALUE, &["upstream"], error.to_string(), ""))?;
    Ok((Arc::new(providers), names))
}

/// Every entry must be about something.
fn check_entries(reading: &Reading, deployments: &[DeploymentName], groups: &[String]) -> Result<(), Problem> {
    let providers = deployments.iter().map(|deployment| deployment.provider);
    let ids = deployments.iter().map(|deployment| deployment.name.as_str());
    let known: Vec<&str> = providers.chain(groups.iter().map(String::as_str)).chain(ids).collect();
    let what = "provider, group or deployment";
    for (name, entry) in reading.file.upstream.iter() {
        if entry.own.of.is_empty() {
            if !known.contains(&name) {
                let near = nearest(name, known.iter().copied());
                return Err(unknown(reading, &["upstream", name], what, name, near));
            }
            continue;
        }
        if let Some(message) = shared_entry_problem(name, entry, &known) {
            return Err(reading.error(codes::SCENARIO_VALUE, &["upstream", name], message, ""));
        }
        if let Some(wrong) = entry.own.of.iter().find(|member| !known.contains(&member.as_str())) {
            let near = nearest(wrong, known.iter().copied());
            return Err(unknown(reading, &["upstream", name, "of"], what, wrong, near));
        }
    }
    Ok(())
}

/// What is wrong with an entry of several, apart from the names in it.
fn shared_entry_problem(name: &str, entry: &UpstreamEntry, known: &[&str]) -> Option<String> {
    if known.contains(&name) {
        return Some(format!("`{name}` is a provider, group or deployment: an entry with `of` needs another name"));
    }
    let mut rest = [true; 4];
    let only = troubles_only(&entry.model, &mut rest);
    let says_more = entry.own.preset.is_some() || entry.own.tier.is_some() || only != entry.model;
    if says_more {
        return Some(format!("upstream.{name} has `of`: it can only have `bursts`, `incidents`, `slow` and `outages`"));
    }
    (only == ProviderModel::default()).then(|| format!("upstream.{name} says `of` whom, but not what they meet"))
}

/// The preset that a provider of LiteLLM follows when the user names none.
fn usual_preset(provider: &str) -> Option<&'static str> {
    Some(match provider {
        "openai" | "text-completion-openai" => "openai",
        "azure" | "azure_ai" | "azure_text" => "azure-openai",
        "anthropic" => "anthropic",
        "gemini" | "vertex_ai" | "vertex_ai_beta" => "google",
        "bedrock" | "bedrock_converse" | "sagemaker" => "bedrock",
        "deepseek" => "deepseek",
        "xai" => "xai",
        "mistral" | "codestral" => "mistral",
        "groq" => "groq",
        "together_ai" => "together",
        "fireworks_ai" => "fireworks",
        _ => return None,
    })
}

impl Builder<'_> {
    fn add(&mut self, reading: &mut Reading, name: &mut DeploymentName, group: &str) -> Result<(), Problem> {
        let levels = self.levels(reading, name, group)?;
        let stated = levels.iter().find_map(|level| level.entry.as_deref()).unwrap_or(name.provider).to_owned();
        let failed = |reading: &Reading, error: &ProviderError| {
            let message = format!("upstream.{stated}: {error}");
            reading.error(codes::SCENARIO_VALUE, &["upstream", &stated], message, "")
        };
        let mut troubles = self.troubles(&levels).map_err(|error| failed(reading, &error))?;
        for level in shared_levels(reading, name, group) {
            troubles.extend(self.troubles(&[level]).map_err(|error| failed(reading, &error))?);
        }
        let tier = tier(reading, &levels);
        let owner = limits_owner(reading, &levels);
        let model = merged(levels);
        let limits =
            self.limits(&owner, tier.as_deref(), &name.model, &model).map_err(|error| failed(reading, &error))?;
        let account = self.account(&owner, tier.as_deref(), &model).map_err(|error| failed(reading, &error))?;
        let deployment = model.deployment(&name.name, &name.model, troubles, limits);
        let mut deployment = deployment.map_err(|error| failed(reading, &error))?;
        let index = self.deployments.len();
        if let Some(Some(end)) = self.known.ends.get(index) {
            end.apply(reading, &name.name, &model, &mut deployment);
        }
        let cost = self.known.costs.get(index).cloned().unwrap_or_default();
        self.deployments.push(Deployment { account, cost, ..deployment });
        if let Some(limits) = limits.and_then(|index| self.limits.get(index)) {
            note_limits(name, limits);
        }
        Ok(())
    }

    /// What is said about a deployment: by its own name, its group's, its provider's, and by the preset.
    fn levels(&mut self, reading: &mut Reading, name: &DeploymentName, group: &str) -> Result<Vec<Level>, Problem> {
        let owners = [
            (name.name.clone(), format!("deployment/{}", name.name)),
            (group.to_owned(), format!("group/{group}")),
            (name.provider.to_owned(), name.provider.to_owned()),
        ];
        let mut levels: Vec<Level> = Vec::new();
        let mut wanted = None;
        for (key, owner) in owners {
            let Some(entry) = reading.file.upstream.get(&key) else { continue };
            // A group may be called like its provider: then one entry speaks for both.
            if levels.iter().any(|level| level.entry.as_deref() == Some(&key)) {
                continue;
            }
            wanted = wanted.or_else(|| Some((key.clone(), owner.clone(), entry.own.preset.clone()?)));
            levels.push(Level { owner, entry: Some(key), model: entry.model.clone() });
        }
        // Troubles of a preset belong to whoever chose it: deployments that follow another one do not share them.
        let (owner, model) = match wanted {
            Some((_, owner, preset)) if preset == NO_PRESET => (owner, ProviderModel::default()),
            Some((key, owner, preset)) => (owner, self.named_preset(reading, &key, &preset)?),
            None => (name.provider.to_owned(), self.usual_preset(reading, name.provider)?),
        };
        levels.push(Level { owner, entry: None, model });
        Ok(levels)
    }

    /// The preset that the user names.
    fn named_preset(&mut self, reading: &mut Reading, key: &str, name: &str) -> Result<ProviderModel, Problem> {
        self.read_preset(reading, key, name, |_, described| described)
    }

    /// The preset of a provider that the user says nothing about.
    fn usual_preset(&mut self, reading: &mut Reading, provider: &'static str) -> Result<ProviderModel, Problem> {
        let name = usual_preset(provider);
        self.read_preset(reading, provider, name.unwrap_or(STAND_IN), |reading, described| {
            let source = match name {
                Some(_) => "the model of this provider",
                None => "there is no model of this provider: that of another one stands in",
            };
            reading.assume(&format!("upstream.{provider}.preset"), name.unwrap_or(STAND_IN), source, "");
            described
        })
    }

    /// Reads a preset once for each entry that follows it, and notes what it says.
    fn read_preset(
        &mut self,
        reading: &mut Reading,
        key: &str,
        name: &str,
        note: impl FnOnce(&mut Reading, Described) -> Described,
    ) -> Result<ProviderModel, Problem> {
        let known_as = format!("{key}/{name}");
        if let Some(model) = self.presets.get(&known_as) {
            return Ok(model.clone());
        }
        let found = preset::<ProviderModel>(ModelKind::Provider, name, &reading.files)?;
        let Preset { model, described } =
            found.map_err(|near| unknown(reading, &["upstream", key, "preset"], "provider model", name, near))?;
        let mut described = note(reading, described);
        // Tiers hold only where one is chosen; then the limits are shown beside the deployment.
        described.fields.retain(|field| field.name != "tiers");
        assume_preset(reading, &["upstream", key], &described);
        self.presets.insert(known_as, model.clone());
        Ok(model)
    }

    /// The troubles that touch a deployment: of each kind, those of the most specific level that has some. They belong
    /// to the owner of that level, so everything below that owner meets the same windows.
    fn troubles(&mut self, levels: &[Level]) -> Result<Vec<usize>, ProviderError> {
        let mut all = Vec::new();
        let mut rest = [true; 4];
        for level in levels {
            let own = troubles_only(&level.model, &mut rest);
            for (number, (kind, trouble)) in own.troubles(&level.owner, self.calendar)?.into_iter().enumerate() {
                let key = format!("{}/{kind}/{number}/{:?}", level.owner, level.entry);
                let index = match self.known_troubles.get(&key) {
                    Some(index) => *index,
                    None => self.add_trouble(key, level, kind, trouble),
                };
                all.push(index);
            }
        }
        Ok(all)
    }

    fn add_trouble(&mut self, key: String, level: &Level, kind: &'static str, trouble: Trouble) -> usize {
        let target = level.entry.clone().unwrap_or_else(|| level.owner.clone());
        let kind = match kind {
            "bursts" => "error burst",
            "incidents" => "incident",
            "slow" => "slow",
            _ => "outage",
        };
        self.troubles.push(trouble);
        self.names.push(TroubleName { target, kind });
        self.known_troubles.insert(key, self.troubles.len() - 1);
        self.troubles.len() - 1
    }

    /// The limits that hold for a model at their owner; all its deployments of that model share them.
    fn limits(
        &mut self,
        owner: &str,
        tier: Option<&str>,
        model: &str,
        merged: &ProviderModel,
    ) -> Result<Option<usize>, ProviderError> {
        let limits_anything = |limits: &Limits| !limits.meters.is_empty() || limits.concurrency.is_some();
        self.shared(format!("{owner}/{model}"), || Ok(merged.limits_for(tier, model)?.filter(limits_anything)))
    }

    /// What the account of an owner may spend; all its deployments share it.
    fn account(
        &mut self,
        owner: &str,
        tier: Option<&str>,
        merged: &ProviderModel,
    ) -> Result<Option<usize>, ProviderError> {
        self.shared(format!("{owner} (account)"), || {
            merged.spend_for(tier, self.calendar.start.timestamp().as_second())
        })
    }

    /// The limits of this name, made by whoever asks for them first.
    fn shared(
        &mut self,
        name: String,
        make: impl FnOnce() -> Result<Option<Limits>, ProviderError>,
    ) -> Result<Option<usize>, ProviderError> {
        if let Some(known) = self.known_limits.get(&name) {
            return Ok(*known);
        }
        let index = make()?.map(|limits| {
            self.limits.push(limits);
            self.limits.len() - 1
        });
        self.known_limits.insert(name, index);
        Ok(index)
    }
}

/// What a deployment meets together with others, beside what its own entries say.
fn shared_levels(reading: &Reading, name: &DeploymentName, group: &str) -> Vec<Level> {
    let is_in = |entry: &UpstreamEntry| {
        entry.own.of.iter().any(|member| [name.name.as_str(), group, name.provider].contains(&member.as_str()))
    };
    let entries = reading.file.upstream.iter().filter(|(_, entry)| is_in(entry));
    let level = |(key, entry): (&str, &UpstreamEntry)| Level {
        owner: format!("several/{key}"),
        entry: Some(key.to_owned()),
        model: entry.model.clone(),
    };
    entries.map(level).collect()
}

/// The tier that the most specific entry names.
fn tier(reading: &Reading, levels: &[Level]) -> Option<String> {
    levels.iter().find_map(|level| reading.file.upstream.get(level.entry.as_deref()?)?.own.tier.clone())
}

/// Who has the limits: the owner of the most specific level that speaks of them.
fn limits_owner(reading: &Reading, levels: &[Level]) -> String {
    let speaks = |level: &&Level| {
        let names_tier = level.entry.as_deref().and_then(|key| reading.file.upstream.get(key));
        level.model.limits.is_some() || names_tier.is_some_and(|entry| entry.own.tier.is_some())
    };
    let owner = levels.iter().find(speaks).or(levels.last());
    owner.map_or_else(String::new, |level| level.owner.clone())
}

/// All levels together: each field from the most specific level that has it.
fn merged(levels: Vec<Level>) -> ProviderModel {
    levels.into_iter().map(|level| level.model).reduce(ProviderModel::over).unwrap_or_default()
}

/// The troubles of one level that no more specific level has replaced.
fn troubles_only(model: &ProviderModel, rest: &mut [bool; 4]) -> ProviderModel {
    let mut only = ProviderModel::default();
    let [bursts, incidents, slow, outages] = rest;
    if *bursts && model.bursts.is_some() {
        only.bursts.clone_from(&model.bursts);
        *bursts = false;
    }
    if *incidents && model.incidents.is_some() {
        only.incidents.clone_from(&model.incidents);
        *incidents = false;
    }
    if *slow && model.slow.is_some() {
        only.slow.clone_from(&model.slow);
        *slow = false;
    }
    if *outages && !model.outages.is_empty() {
        only.outages.clone_from(&model.outages);
        *outages = false;
    }
    only
}

/// Writes the limits beside the deployment's name, for the report.
fn note_limits(name: &mut DeploymentName, limits: &Limits) {
    let minute = SimDuration::from_secs(60);
    for meter in limits.meters.iter().filter(|meter| meter.period == minute) {
        let place = match meter.counted {
            Counted::Requests => &mut name.rpm_limit,
            Counted::Tokens(_) => &mut name.tpm_limit,
            Counted::Dollars => continue,
        };
        *place = Some(place.map_or(meter.limit, |other| other.min(meter.limit)));
    }
    let concurrency = limits.concurrency.map(f64::from);
    name.concurrency_limit = match (name.concurrency_limit, concurrency) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Overrides, World, load};

    const CONFIG: &str = "model_list:\n\
        - {model_name: a, litellm_params: {model: openai/gpt-4o, max_parallel_requests: 7}, model_info: {id: first}}\n\
        - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n\
        - {model_name: b, litellm_params: {model: openai/gpt-4o-mini}}\n\
        - {model_name: c, litellm_params: {model: ollama/llama3}}\n";

    fn world(upstream: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let scenario = format!(
            "gateway: config.yaml\ntraffic: {{t: {{preset: chat, model: a, rate: 1/s}}}}\nupstream: {upstream}\n"
        );
        std::fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
        std::fs::write(dir.path().join("scenario.yaml"), scenario).unwrap();
        load(dir.path().to_str().unwrap(), &Overrides::default()).unwrap()
    }

    /// The troubles of a deployment by kind.
    fn trouble(world: &World, deployment: usize, kind: &str) -> Vec<usize> {
        let all = &world.providers.deployments()[deployment].troubles;
        all.iter().copied().filter(|index| world.names.troubles[*index].kind == kind).collect()
    }

    #[test]
    fn deployments_of_a_provider_share_its_fate_and_only_its() {
        let world = world("{openai: {bursts: {every: 1h, lasts: 1m, share: 1}}}");
        let bursts: Vec<_> = (0..4).map(|deployment| trouble(&world, deployment, "error burst")).collect();
        assert_eq!(bursts[0].len(), 1);
        assert!(bursts[0] == bursts[1] && bursts[1] == bursts[2]);
        assert_ne!(bursts[2], bursts[3], "another provider with the same preset has a fate of its own");
        assert_eq!(world.names.troubles[bursts[0][0]].target, "openai");
    }

    #[test]
    fn the_most_specific_entry_wins_field_by_field() {
        let world = world(
            "{openai: {outages: [{at: 1h, lasts: 1h}]}, a: {outages: [{at: 2h, lasts: 1h}]}, first: {latency: 9}}",
        );
        let outage = |deployment| trouble(&world, deployment, "outage");
        assert!(outage(0) == outage(1) && outage(0) != outage(2), "the group's outage replaces the provider's");
        let latency = |deployment: usize| format!("{:?}", world.providers.deployments()[deployment].latency);
        assert!(latency(0) != latency(1), "only the deployment has a latency of its own");
        assert_eq!(trouble(&world, 0, "incident"), trouble(&world, 2, "incident"), "all else is the provider's");
    }

    #[test]
    fn a_tier_limits_all_deployments_of_a_model_together() {
        let world = world("{openai: {tier: tier-1}}");
        let limits = |deployment: usize| world.providers.deployments()[deployment].limits;
        assert!(limits(0).is_some() && limits(0) == limits(1) && limits(0) != limits(2));
        assert_eq!(world.names.deployments[0].rpm_limit, Some(500.0));
        assert_eq!(world.names.deployments[0].concurrency_limit, Some(7.0));
    }

    #[test]
    fn a_provider_without_a_model_borrows_one_and_says_so() {
        let world = world("{}");
        let said = world.assumptions.iter().find(|assumed| assumed.name == "upstream.ollama.preset").unwrap();
        assert!(said.source.contains("stands in"), "{}", said.source);
        let written = world.assumptions.iter().filter(|assumed| assumed.name == "traffic.t.rate").count();
        assert_eq!(written, 0, "what the user has written is not assumed");
    }
}
