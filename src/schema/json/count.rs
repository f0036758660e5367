//! How many values a text holds, before anything is built of it.

use super::{Invalid, Sink, walk};

/// Returns the number of values and of names of fields.
///
/// # Errors
/// As [`super::validate`].
pub fn count_values(text: &[u8]) -> Result<usize, Invalid> {
    let mut count = Count(0);
    walk(text, &mut count)?;
    Ok(count.0)
}

struct Count(usize);

impl Sink for Count {
    fn open(&mut self, _: u8) {
        self.0 += 1;
    }

    fn close(&mut self, _: u8, _: bool) {}

    fn key(&mut self, _: &[u8]) {
        self.0 += 1;
    }

    fn string(&mut self, _: &[u8]) {
        self.0 += 1;
    }

    fn number(&mut self, _: &[u8]) {
        self.0 += 1;
    }

    fn word(&mut self, _: &[u8]) {
        self.0 += 1;
    }

    fn comma(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_and_every_name_counts() {
        for (text, count) in
            [("1", 1), ("[]", 1), ("[1,\"a\",null]", 4), ("{\"a\":{\"b\":NaN}}", 5)]
        {
            assert_eq!(count_values(text.as_bytes()).unwrap(), count, "{text}");
        }
        assert!(count_values(b"[1").is_err());
    }
}
