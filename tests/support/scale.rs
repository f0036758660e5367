//! How much a long test does: little by default, all of it with `DWCTL_TEST_SCALE=full`.

/// The one or the other number.
pub fn scaled<T>(small: T, full: T) -> T {
    if std::env::var("DWCTL_TEST_SCALE").as_deref() == Ok("full") { full } else { small }
}
