//! Names that differ here and are one name elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use icu_normalizer::ComposingNormalizer;

/// Returns the pairs of names of which Windows or macOS keep one file only: they differ in case, in
/// the form of a letter with an accent, or in dots and blanks at the end of a part.
///
/// `key` gives the part of a name that counts. Names that are equal are no such pair.
#[must_use]
pub fn name_twins<'a>(
    names: impl Iterator<Item = &'a str>,
    key: impl Fn(&str) -> &str,
) -> Vec<(&'a str, &'a str)> {
    let mut seen: HashMap<u64, &str> = HashMap::with_capacity(names.size_hint().0);
    let mut twins = Vec::new();
    for name in names {
        // A hash for each is a tenth of the names themselves; the names decide.
        let mut hasher = DefaultHasher::new();
        let form = fold(key(name));
        form.hash(&mut hasher);
        match seen.entry(hasher.finish()) {
            Entry::Vacant(place) => drop(place.insert(name)),
            Entry::Occupied(known)
                if key(known.get()) != key(name) && fold(key(known.get())) == form =>
            {
                twins.push((*known.get(), name));
            }
            Entry::Occupied(_) => {}
        }
    }
    twins
}

/// Returns a name without what those systems do not see.
fn fold(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    let ends_plainly = |part: &str| !part.ends_with(['.', ' ']);
    if name.bytes().all(is_plain) && name.split('/').all(ends_plainly) {
        return Cow::Borrowed(name);
    }
    let normalizer = ComposingNormalizer::new_nfc();
    let lower = normalizer.normalize(name).to_lowercase();
    let parts: Vec<&str> = lower.split('/').map(|part| part.trim_end_matches(['.', ' '])).collect();
    // The lower case of one character may be several.
    Cow::Owned(normalizer.normalize(&parts.join("/")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_one_elsewhere_are_found() {
        let names = [
            "A.bin",
            "a.bin",
            "b",
            "b.",
            "b/x",
            "cafe\u{301}",
            "caf\u{e9}",
            "D/e",
            "d /e",
            "x",
            "x",
        ];
        let twins = name_twins(names.into_iter(), |name| name);
        let wanted =
            [("A.bin", "a.bin"), ("b", "b."), ("cafe\u{301}", "caf\u{e9}"), ("D/e", "d /e")];
        assert_eq!(twins, wanted);
    }

    #[test]
    fn only_the_part_that_counts_is_compared() {
        fn base(name: &str) -> &str {
            name.rsplit('/').next().unwrap_or(name)
        }
        let names = ["a/W.pt", "b/w.pt", "c/w.pt"];
        assert_eq!(
            name_twins(names.into_iter(), base),
            [("a/W.pt", "b/w.pt"), ("a/W.pt", "c/w.pt")]
        );
        assert_eq!(name_twins(names.into_iter(), |name| name), []);
    }
}
