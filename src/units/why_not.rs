//! Why a request got no answer.

use std::ops::{Index, IndexMut};

/// Why a request got no good answer, by what stood in its way last. A client that left is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum WhyNot {
    /// The key's requests a minute.
    KeyRequests,
    /// The key's tokens a minute.
    KeyTokens,
    /// The key's requests at once.
    KeyParallel,
    /// The user's requests a minute.
    UserRequests,
    /// The user's tokens a minute.
    UserTokens,
    /// The team's requests a minute.
    TeamRequests,
    /// The team's tokens a minute.
    TeamTokens,
    /// Requests a minute of a user within a team.
    MemberRequests,
    /// Tokens a minute of a user within a team.
    MemberTokens,
    /// Requests a minute of an end user, whom the key acts for.
    EndUserRequests,
    /// Tokens a minute of an end user.
    EndUserTokens,
    /// The organization's requests a minute.
    OrganizationRequests,
    /// The organization's tokens a minute.
    OrganizationTokens,
    /// Requests a minute for one model, of the key or its team.
    ModelRequests,
    /// Tokens a minute for one model, of the key or its team.
    ModelTokens,
    /// The key's budget.
    KeyBudget,
    /// The user's budget.
    UserBudget,
    /// The team's budget.
    TeamBudget,
    /// The budget of a user within a team.
    MemberBudget,
    /// The budget of an end user.
    EndUserBudget,
    /// The organization's budget.
    OrganizationBudget,
    /// A budget for one model, of the key or its user.
    ModelBudget,
    /// A budget that the gateway cannot look up.
    UnverifiedBudget,
    /// The gateway knows no such model.
    UnknownModel,
    /// The gateway serves the model no longer: all its deployments are blocked.
    BlockedModel,
    /// The key is no longer good, or asks for what nobody may.
    TurnedAway,
    /// The gateway cannot read the request.
    Unreadable,
    /// No process of the gateway took it.
    NoProcess,
    /// Every deployment rests, or has been left out.
    NoHealthyDeployment,
    /// Budgets of deployments or providers.
    DeploymentBudget,
    /// The deployments' limits of requests and tokens, as the gateway counts them.
    DeploymentLimit,
    /// The prompt fits into no deployment's context window, as the gateway reckons.
    TooLong,
    /// No deployment has the tags.
    Tags,
    /// The name leads to no deployment.
    Nowhere,
    /// A parameter, or a model, with which no call can be made.
    Parameters,
    /// Calls failed, whatever was tried.
    Upstream,
    /// The process that had it ended.
    Lost,
}

const KINDS: usize = 37;

/// How many requests got no good answer, by what stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct WhyNots([u64; KINDS]);

impl Default for WhyNots {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl From<WhyNots> for Vec<u64> {
    fn from(counts: WhyNots) -> Self {
        counts.0.into()
    }
}

impl TryFrom<Vec<u64>> for WhyNots {
    type Error = String;

    fn try_from(counts: Vec<u64>) -> Result<Self, String> {
        let wrong = |counts: Vec<u64>| format!("expected {KINDS} counts of refusals, found {}", counts.len());
        counts.try_into().map(Self).map_err(wrong)
    }
}

impl WhyNots {
    /// Those that are not 0, in order.
    pub fn iter(&self) -> impl Iterator<Item = (WhyNot, u64)> {
        WhyNot::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// All together; `None` for more than can be counted.
    pub fn checked_total(&self) -> Option<u64> {
        self.0.iter().try_fold(0u64, |sum, count| sum.checked_add(*count))
    }

    /// Adds those of another run or key.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }
}

impl Index<WhyNot> for WhyNots {
    type Output = u64;

    fn index(&self, why: WhyNot) -> &u64 {
        &self.0[why as usize]
    }
}

impl IndexMut<WhyNot> for WhyNots {
    fn index_mut(&mut self, why: WhyNot) -> &mut u64 {
        &mut self.0[why as usize]
    }
}

/// Where a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Refused by the gateway before it looked for a deployment.
    Admission,
    /// Refused by the gateway, which found no deployment to call.
    Router,
    /// Failed at providers.
    Provider,
    /// Lost in the gateway.
    Lost,
}

impl WhyNot {
    /// All of them, in the order in which a request meets them.
    pub const ALL: [Self; KINDS] = [
        Self::KeyRequests,
        Self::KeyTokens,
        Self::KeyParallel,
        Self::UserRequests,
        Self::UserTokens,
        Self::TeamRequests,
        Self::TeamTokens,
        Self::MemberRequests,
        Self::MemberTokens,
        Self::EndUserRequests,
        Self::EndUserTokens,
        Self::OrganizationRequests,
        Self::OrganizationTokens,
        Self::ModelRequests,
        Self::ModelTokens,
        Self::KeyBudget,
        Self::UserBudget,
        Self::TeamBudget,
        Self::MemberBudget,
        Self::EndUserBudget,
        Self::OrganizationBudget,
        Self::ModelBudget,
        Self::UnverifiedBudget,
        Self::UnknownModel,
        Self::BlockedModel,
        Self::TurnedAway,
        Self::Unreadable,
        Self::NoProcess,
        Self::NoHealthyDeployment,
        Self::DeploymentBudget,
        Self::DeploymentLimit,
        Self::TooLong,
        Self::Tags,
        Self::Nowhere,
        Self::Parameters,
        Self::Upstream,
        Self::Lost,
    ];

    /// Where the request ended.
    pub const fn stage(self) -> Stage {
        match self {
            Self::Upstream => Stage::Provider,
            Self::Lost => Stage::Lost,
            why if (why as u8) < Self::NoHealthyDeployment as u8 => Stage::Admission,
            _ => Stage::Router,
        }
    }

    /// Whether a limit or a budget of a key, its user or its team was in the way.
    pub const fn is_limit(self) -> bool {
        (self as u8) < Self::UnknownModel as u8
    }

    /// A stable name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyRequests => "key_rpm",
            Self::KeyTokens => "key_tpm",
            Self::KeyParallel => "key_parallel",
            Self::UserRequests => "user_rpm",
            Self::UserTokens => "user_tpm",
            Self::TeamRequests => "team_rpm",
            Self::TeamTokens => "team_tpm",
            Self::MemberRequests => "member_rpm",
            Self::MemberTokens => "member_tpm",
            Self::EndUserRequests => "end_user_rpm",
            Self::EndUserTokens => "end_user_tpm",
            Self::OrganizationRequests => "organization_rpm",
            Self::OrganizationTokens => "organization_tpm",
            Self::ModelRequests => "model_rpm",
            Self::ModelTokens => "model_tpm",
            Self::KeyBudget => "key_budget",
            Self::UserBudget => "user_budget",
            Self::TeamBudget => "team_budget",
            Self::MemberBudget => "member_budget",
            Self::EndUserBudget => "end_user_budget",
            Self::OrganizationBudget => "organization_budget",
            Self::ModelBudget => "model_budget",
            Self::UnverifiedBudget => "unverified_budget",
            Self::UnknownModel => "unknown_model",
            Self::BlockedModel => "blocked_model",
            Self::TurnedAway => "turned_away",
            Self::Unreadable => "unreadable",
            Self::NoProcess => "no_process",
            Self::NoHealthyDeployment => "no_healthy_deployment",
            Self::DeploymentBudget => "deployment_budget",
            Self::DeploymentLimit => "deployment_limit",
            Self::TooLong => "prompt_too_long",
            Self::Tags => "tags",
            Self::Nowhere => "nowhere",
            Self::Parameters => "parameters",
            Self::Upstream => "provider",
            Self::Lost => "lost",
        }
    }

    /// What a person calls it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::KeyRequests => "requests a minute of the key",
            Self::KeyTokens => "tokens a minute of the key",
            Self::KeyParallel => "requests at once of the key",
            Self::UserRequests => "requests a minute of the user",
            Self::UserTokens => "tokens a minute of the user",
            Self::TeamRequests => "requests a minute of the team",
            Self::TeamTokens => "tokens a minute of the team",
            Self::MemberRequests => "requests a minute of the team's member",
            Self::MemberTokens => "tokens a minute of the team's member",
            Self::EndUserRequests => "requests a minute of the end user",
            Self::EndUserTokens => "tokens a minute of the end user",
            Self::OrganizationRequests => "requests a minute of the organization",
            Self::OrganizationTokens => "tokens a minute of the organization",
            Self::ModelRequests => "requests a minute for the model",
            Self::ModelTokens => "tokens a minute for the model",
            Self::KeyBudget => "budget of the key",
            Self::UserBudget => "budget of the user",
            Self::TeamBudget => "budget of the team",
            Self::MemberBudget => "budget of the team's member",
            Self::EndUserBudget => "budget of the end user",
            Self::OrganizationBudget => "budget of the organization",
            Self::ModelBudget => "budget for the model",
            Self::UnverifiedBudget => "budget that cannot be looked up",
            Self::UnknownModel => "unknown model",
            Self::BlockedModel => "blocked model",
            Self::TurnedAway => "key or request that is not let in",
            Self::Unreadable => "unreadable request",
            Self::NoProcess => "no process of the gateway free",
            Self::NoHealthyDeployment => "no healthy deployment (cooldown)",
            Self::DeploymentBudget => "budgets of deployments or providers",
            Self::DeploymentLimit => "limits of deployments in the gateway",
            Self::TooLong => "prompt longer than any context window",
            Self::Tags => "no deployment with the tags",
            Self::Nowhere => "no deployment of that name",
            Self::Parameters => "parameters that no call takes",
            Self::Upstream => "failed at providers",
            Self::Lost => "lost in a process that ended",
        }
    }
}

impl Stage {
    /// A stable name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Router => "router",
            Self::Provider => "provider",
            Self::Lost => "lost",
        }
    }

    /// What a person calls it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Admission => "door",
            Self::Router => "router",
            Self::Provider => "provider",
            Self::Lost => "process",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stand_at_their_numbers_and_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> = WhyNot::ALL.iter().map(|why| (why.name(), why.words())).collect();
        assert_eq!(names.len(), WhyNot::ALL.len());
        assert!(WhyNot::ALL.iter().enumerate().all(|(index, why)| *why as usize == index));
        assert!(WhyNot::ALL.iter().filter(|why| why.is_limit()).all(|why| why.stage() == Stage::Admission));
        assert_eq!((WhyNot::NoProcess.stage(), WhyNot::Parameters.stage()), (Stage::Admission, Stage::Router));
    }
}
