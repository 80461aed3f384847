//! Price classes by parameter count, for models that are not in the map by name.

/// Fireworks' class (`llms/fireworks_ai/cost_calculator.py`, `get_base_model_for_pricing`).
pub fn fireworks(model: &str) -> &'static str {
    let model = model.to_lowercase();
    match mixture(&model) {
        Some(total) if total <= 56 => return "fireworks-ai-moe-up-to-56b",
        Some(total) if total <= 176 => return "fireworks-ai-56b-to-176b",
        _ => {}
    }
    match billions(&model) {
        Some(..=4) => "fireworks-ai-up-to-4b",
        Some(5..=16) => "fireworks-ai-4.1b-to-16b",
        Some(_) => "fireworks-ai-above-16b",
        None => "fireworks-ai-default",
    }
}

/// The first number directly before a `b`.
fn billions(model: &str) -> Option<u64> {
    model.match_indices('b').find_map(|(at, _)| number_before(&model[..at]))
}

/// `8x7b` as 56: the first number, `x`, number, `b`.
fn mixture(model: &str) -> Option<u64> {
    model.match_indices('b').find_map(|(at, _)| {
        let head = &model[..at];
        let per_expert = number_before(head)?;
        let digits = head.bytes().rev().take_while(u8::is_ascii_digit).count();
        let experts = number_before(head[..head.len() - digits].strip_suffix('x')?)?;
        experts.checked_mul(per_expert)
    })
}

fn number_before(head: &str) -> Option<u64> {
    let digits = head.bytes().rev().take_while(u8::is_ascii_digit).count();
    // A number beyond u64 is beyond every class too.
    (digits > 0).then(|| head[head.len() - digits..].parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_parameter_count() {
        assert_eq!(fireworks("accounts/x/mixtral-8x7b"), "fireworks-ai-moe-up-to-56b");
        assert_eq!(fireworks("mixtral-8x22b"), "fireworks-ai-56b-to-176b");
        assert_eq!(fireworks("Llama-3.1-8B"), "fireworks-ai-4.1b-to-16b");
        assert_eq!(fireworks("kimi-k2"), "fireworks-ai-default");
    }
}
