//! Medians and quantiles, and how they are written.

use std::time::Duration;

/// The value below which this share of the values lies; the nearest one that was measured.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among a few thousand values"
    )]
    let place = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Seconds as a person reads them.
pub fn seconds(value: f64) -> String {
    if value < 0.1 { format!("{:.2} ms", value * 1e3) } else { format!("{value:.2} s") }
}

pub fn secs(values: impl Iterator<Item = Duration>) -> Vec<f64> {
    values.map(|value| value.as_secs_f64()).collect()
}

/// Bytes as mebibytes.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal place")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
