//! Round numbers for axes and bins.

/// The smallest of 1, 2, 2.5, 5 · 10ⁿ that cuts `span` into at most `parts` steps; 1 when there is no span.
pub fn nice_step(span: f64, parts: usize) -> f64 {
    let raw = span / parts.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return 1.0;
    }
    let magnitude = 10f64.powf(raw.log10().floor());
    let fits = |factor: &f64| factor * magnitude >= raw * (1.0 - 1e-9);
    [1.0, 2.0, 2.5, 5.0].into_iter().find(fits).unwrap_or(10.0) * magnitude
}

/// The multiples of a nice step from `low` to `high`.
pub fn ticks(low: f64, high: f64, parts: usize) -> Vec<f64> {
    let step = nice_step(high - low, parts);
    let first = (low / step - 1e-9).ceil();
    (0..=parts + 1).map(|index| (first + index as f64) * step).take_while(|tick| *tick <= high + step * 1e-9).collect()
}

/// Logarithms (base 10) from `low` to `high` of round numbers: 1, 2, 5, 10 … as long as they are at most `parts`, else
/// powers of ten.
pub fn log_ticks(low: f64, high: f64, parts: usize) -> Vec<f64> {
    let of = |factors: &[f64]| -> Vec<f64> {
        let powers = (low.floor() as i32)..=(high.ceil() as i32);
        let all = powers.flat_map(|power| factors.iter().map(move |factor| f64::from(power) + factor.log10()));
        all.filter(|tick| (low - 1e-9..=high + 1e-9).contains(tick)).collect()
    };
    let fine = of(&[1.0, 2.0, 5.0]);
    if fine.len() < 2 {
        return ticks(low, high, parts);
    }
    if fine.len() <= parts + 1 { fine } else { of(&[1.0]) }
}

/// The upper end of an axis from zero that holds `peak`: the next nice multiple; 1 for an axis of nothing.
pub fn nice_ceiling(peak: f64, parts: usize) -> f64 {
    if !peak.is_finite() || peak <= 0.0 {
        return 1.0;
    }
    let step = nice_step(peak, parts);
    (peak / step - 1e-9).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for (span, parts, step) in
            [(10.0, 5, 2.0), (612.3, 6, 200.0), (0.013, 4, 0.005), (48.0, 10, 5.0), (0.0, 5, 1.0)]
        {
            assert!((nice_step(span, parts) - step).abs() < 1e-12, "{span}/{parts}");
        }
    }

    #[test]
    fn ticks_stay_inside() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(3.0, 11.0, 4), [4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(5.0, 5.0, 4), [5.0]);
    }

    #[test]
    fn ticks_of_a_logarithmic_axis_are_round_numbers() {
        let numbers = |low: f64, high: f64, parts| {
            let all = log_ticks(low.log10(), high.log10(), parts);
            all.into_iter().map(|tick| (10f64.powf(tick) * 1e6).round() / 1e6).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1.0, 100.0, 7), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!(numbers(1.0, 1e6, 7), [1.0, 10.0, 100.0, 1000.0, 1e4, 1e5, 1e6]);
        assert!(log_ticks(0.5, 0.6, 5).len() >= 2, "a narrow range has ticks too");
    }

    #[test]
    fn an_axis_holds_its_peak() {
        for peak in [0.0003, 1.0, 7.1, 612.33, 1e9] {
            let top = nice_ceiling(peak, 5);
            assert!(top >= peak * (1.0 - 1e-9) && top <= peak * 2.01, "{peak} {top}");
        }
    }
}
