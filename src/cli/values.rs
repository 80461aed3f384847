//! Values of options, checked as they are read.

use std::str::FromStr;

use crate::units::{Money, Share, without_separators};

/// A relative precision: a share above 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision(pub f64);

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share: Share = text.parse().map_err(|error: crate::units::QuantityError| error.to_string())?;
        let is_usable = share.0 > 0.0 && share.0 < 1.0;
        is_usable.then_some(Self(share.0)).ok_or_else(|| "expected a share above 0 and below 1, such as 2%".to_owned())
    }
}

/// Far above any bill, and sums of such amounts stay within what money can count.
const MOST_DOLLARS: Money = Money::from_picos(10i128.pow(27));

/// An amount of US dollars, not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dollars(pub Money);

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = without_separators(text.trim().trim_start_matches('$'));
        let amount: Option<Money> = number.and_then(|number| number.parse().ok());
        let amount = amount.ok_or_else(|| format!("`{text}` is not an amount such as 1500, 1,500 or 99.50"))?;
        if amount > MOST_DOLLARS {
            return Err("expected an amount of at most a quadrillion dollars".into());
        }
        (amount >= Money::ZERO).then_some(Self(amount)).ok_or_else(|| "expected an amount that is not negative".into())
    }
}

/// A seed.
pub fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

/// A number of runs, `MOST` at most.
pub fn runs<const MOST: u64>(text: &str) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {MOST}"))
}

/// A text as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// An option and its value as words of a command; none where it is not given.
pub fn option_words(name: &str, value: Option<&str>) -> impl Iterator<Item = String> {
    value.into_iter().flat_map(move |value| [format!("--{name}"), shell_word(value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_a_share_that_can_be_reached() {
        assert_eq!("2%".parse(), Ok(Precision(0.02)));
        assert_eq!("0.5".parse(), Ok(Precision(0.5)));
        for text in ["0", "100%", "-1%", "nan", "much"] {
            assert!(text.parse::<Precision>().is_err(), "{text}");
        }
    }

    #[test]
    fn commas_part_thousands_and_nothing_else() {
        let dollars = |picos: i128| Ok(Dollars(Money::from_picos(picos * 1_000_000_000_000)));
        for (text, amount) in [("1500", 1_500), ("$1,500", 1_500), ("1,234,567.00", 1_234_567), ("1_500", 1_500)] {
            assert_eq!(text.parse(), dollars(amount), "{text}");
        }
        for text in ["1,5", "1,50", "1,5000", "1.500,00", "1,234,56", ",", "", "-1"] {
            assert!(text.parse::<Dollars>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_word("scenarios/a.yaml"), "scenarios/a.yaml");
        assert_eq!(shell_word("my file"), "'my file'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
