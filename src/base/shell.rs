//! Words as a POSIX shell reads them back.

/// A word that stays one word, whatever is in it; plain ones stay bare.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_bare_and_others_cannot_leave_their_quotes() {
        assert_eq!(quoted("a/b-c.pt"), "a/b-c.pt");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$(rm) `x` \"y\"\nz"), "'$(rm) `x` \"y\"\nz'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("~/x"), "'~/x'");
    }
}
