//! `billcast cost`: what one call costs, or each row of a file.

use jiff::Timestamp;

use crate::cli::book::BookArgs;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::gateway::litellm::wire::nearest;
use crate::pricing::{Adjustment, CostParts, PriceBook, Priced, ServiceTier, Tariff, price_rows};
use crate::report::text::clean;
use crate::scenario::{Files, Problem};
use crate::units::{ExactCost, Tokens, Usage};

/// Arguments of `cost`.
#[derive(Debug, clap::Args)]
pub struct CostArgs {
    /// The model, as LiteLLM names it: with or without its provider.
    #[arg(long, required_unless_present = "batch")]
    model: Option<String>,
    /// The provider that the call is made with, if the model's name does not say.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Input tokens, cached and cache-writing ones included.
    #[arg(long, value_name = "N", default_value_t = 0)]
    prompt_tokens: Tokens,
    /// Output tokens, reasoning included.
    #[arg(long, value_name = "N", default_value_t = 0)]
    completion_tokens: Tokens,
    /// Input tokens read from the provider's prompt cache.
    #[arg(long, value_name = "N", default_value_t = 0)]
    cached_tokens: Tokens,
    /// Input tokens written to the prompt cache for 5 minutes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    cache_write_tokens: Tokens,
    /// Input tokens written to the prompt cache for an hour.
    #[arg(long = "cache-write-1h-tokens", value_name = "N", default_value_t = 0)]
    cache_write_1h_tokens: Tokens,
    /// Output tokens spent on reasoning.
    #[arg(long, value_name = "N", default_value_t = 0)]
    reasoning_tokens: Tokens,
    /// `service_tier` of the request: flex, priority …
    #[arg(long, value_name = "TIER", default_value = "")]
    service_tier: String,
    /// Price the rows of this CSV file instead (`-` is stdin): columns model, prompt_tokens, completion_tokens and,
    /// if there, custom_llm_provider, cached_tokens, cache_creation_5m_tokens, cache_creation_1h_tokens,
    /// reasoning_tokens, service_tier. The column billcast_cost_usd is added.
    #[arg(long, value_name = "ROWS.csv", conflicts_with = "model")]
    batch: Option<String>,
    /// Show what the cost is made of, not the amount alone.
    #[arg(long, conflicts_with = "batch")]
    explain: bool,
    #[command(flatten)]
    book: BookArgs,
}

/// Prints the exact cost in US dollars.
pub fn run(args: &CostArgs) -> Result<(), Stop> {
    let book = args.book.read()?;
    match (&args.batch, &args.model) {
        (Some(file), _) => price_batch(file, &book, args),
        (None, Some(model)) => {
            args.check()?;
            price_one(model, &book, args)
        }
        (None, None) => Err(Stop::Usage("give a --model, or a --batch file".to_owned())),
    }
}

/// Says that a tier is priced as none, unless it is a name that means none.
fn warn_of_tier(text: &str, service: ServiceTier) {
    const NONE: [&str; 6] = ["", "auto", "default", "standard", "batch", "scale"];
    let text = text.to_ascii_lowercase();
    if service != ServiceTier::Standard || NONE.contains(&text.as_str()) {
        return;
    }
    let names = ServiceTier::ALL.into_iter().map(ServiceTier::name);
    let help = nearest(&text, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    streams::note(&format!("warning: `{text}` is no service tier with prices of its own: priced as standard{help}"));
}

fn price_batch(file: &str, book: &PriceBook, args: &CostArgs) -> Result<(), Stop> {
    let rows = Files::here().read(file)?;
    let priced = price_rows(&rows.name, rows.text.as_bytes(), book, args.book.moment()?);
    let priced = priced.map_err(|error| Problem::in_file(error.diagnostics, &rows))?;
    streams::print_bytes(&priced)
}

fn price_one(model: &str, book: &PriceBook, args: &CostArgs) -> Result<(), Stop> {
    let at = args.book.moment()?;
    let Priced::Known(tariff) = book.lookup(model, args.provider.as_deref(), at) else {
        return Err(Stop::Usage(format!("no price is known for `{}`{}", clean(model), others(model, book, at))));
    };
    let service = ServiceTier::as_litellm_reads(&args.service_tier);
    warn_of_tier(&args.service_tier, service);
    if let Some((asked, known)) = args.book.day().zip(book.known_from(model, args.provider.as_deref()))
        && asked < known
    {
        streams::note(&format!("warning: no price of `{model}` is known from before {known}; this one is used"));
    }
    let too_large = || Stop::Usage("the cost is outside the range of exact amounts".to_owned());
    let usage = args.usage();
    let parts = tariff.cost(&usage, service, at).ok_or_else(too_large)?;
    let total = tariff.adjusted_cost(&usage, service, at, &Adjustment::default()).ok_or_else(too_large)?;
    streams::print(&if args.explain { told(&tariff, &parts, total) } else { format!("{total}\n") })
}

/// What else there is: models whose names contain this one, or are near it, and where prices come from.
fn others(model: &str, book: &PriceBook, at: Timestamp) -> String {
    const MOST: usize = 5;
    let listing = book.list(model, at);
    let mut near = listing.did_you_mean;
    for listed in &listing.models {
        if near.len() < MOST && !near.contains(&listed.model) {
            near.push(listed.model.clone());
        }
    }
    let near = match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", clean(&near.join(" or "))),
    };
    format!("{near}\n`billcast prices` lists what is known; --prices FILE takes a table of yours")
}

/// The cost and what it is made of.
fn told(tariff: &Tariff<'_>, parts: &CostParts, total: ExactCost) -> String {
    let named = [
        ("input", parts.input),
        ("cache read", parts.cached),
        ("cache write", parts.cache_write),
        ("output", parts.output),
        ("reasoning", parts.reasoning),
    ];
    let lines = named.iter().filter(|(_, cost)| cost.to_string() != "0");
    let lines: String = lines.map(|(name, cost)| format!("{name:12} ${cost}\n")).collect();
    format!("priced as    {}\n{lines}total        ${total}\n", clean(tariff.name))
}

impl CostArgs {
    /// Refuses parts that are more than their whole.
    fn check(&self) -> Result<(), Stop> {
        let within = [self.cached_tokens, self.cache_write_tokens, self.cache_write_1h_tokens];
        let within: u64 = within.into_iter().map(u64::from).sum();
        let message = match () {
            () if within > u64::from(self.prompt_tokens) => format!(
                "--prompt-tokens counts all input, also what is read from and written to the cache: {within} of {} cannot be",
                self.prompt_tokens
            ),
            () if self.reasoning_tokens > self.completion_tokens => format!(
                "--completion-tokens counts all output, reasoning too: {} of {} cannot be",
                self.reasoning_tokens, self.completion_tokens
            ),
            () => return Ok(()),
        };
        Err(Stop::Usage(message))
    }

    const fn usage(&self) -> Usage {
        Usage {
            input: self.prompt_tokens,
            cached: self.cached_tokens,
            cache_write: self.cache_write_tokens,
            cache_write_1h: self.cache_write_1h_tokens,
            output: self.completion_tokens,
            reasoning: self.reasoning_tokens,
        }
    }
}
