//! Where fresh ids come from. A value, so that a test can make them predictable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The source of random and unique tokens.
#[derive(Clone, Debug)]
pub struct IdSource(Source);

#[derive(Clone, Debug)]
enum Source {
    Random,
    Counted(Arc<AtomicU64>),
}

impl IdSource {
    /// From the operating system's random source.
    #[must_use]
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// 1, 2, 3, … in hexadecimal, for tests.
    #[must_use]
    pub fn counted() -> Self {
        Self(Source::Counted(Arc::new(AtomicU64::new(0))))
    }

    /// `digits` (at most 32) lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self, digits: usize) -> String {
        let number = match &self.0 {
            Source::Random => u128::from(random_u64()) << 64 | u128::from(random_u64()),
            Source::Counted(last) => u128::from(last.fetch_add(1, Ordering::Relaxed) + 1),
        };
        let text = format!("{number:032x}");
        text[text.len() - digits.min(text.len())..].to_owned()
    }
}

/// `RandomState` takes its keys from the operating system; hashing nothing with a fresh one gives
/// 64 bits without another dependency.
fn random_u64() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    // Keys of one thread differ by a counter only, so the time and an address are mixed in.
    hasher.write_u128(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos()),
    );
    hasher.write_u32(std::process::id());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::IdSource;

    #[test]
    fn random_ids_have_the_length_asked_for_and_differ() {
        let ids = IdSource::random();
        let (a, b) = (ids.hex(24), ids.hex(24));
        assert_eq!((a.len(), b.len()), (24, 24));
        assert_ne!(a, b);
    }

    #[test]
    fn counted_ids_count() {
        let ids = IdSource::counted();
        assert_eq!([ids.hex(4), ids.hex(4)], ["0001", "0002"]);
    }
}
