//! Values that must not stand in a file or on a command line: `{ file = … }`, `{ env = … }` or
//! `{ command = … }` in place of a text, for any librdkafka property.

use std::path::Path;
use std::process::Command;

use super::{Environment, SettingsError};

/// Reads what a table `{ file | env | command = "…" }` points at; one trailing line break is cut.
pub(super) fn read(
    key: &str,
    table: &toml::Table,
    environment: &Environment,
) -> Result<String, SettingsError> {
    let fail = |place: &str, reason: String| SettingsError::Secret {
        key: key.to_owned(),
        place: place.to_owned(),
        reason,
    };
    let mut entries = table.iter();
    let (Some((kind, toml::Value::String(place))), None) = (entries.next(), entries.next()) else {
        return Err(fail(
            "a table",
            "write { file = \"…\" }, { env = \"…\" } or { command = \"…\" }".into(),
        ));
    };
    let text = match kind.as_str() {
        "file" => std::fs::read_to_string(Path::new(place))
            .map_err(|error| fail(place, error.to_string()))?,
        "env" => environment
            .get(place)
            .map(str::to_owned)
            .ok_or_else(|| fail(place, "the variable is not set".into()))?,
        "command" => run(place).map_err(|reason| fail(place, reason))?,
        other => return Err(fail(other, "only file, env and command are known".into())),
    };
    Ok(text
        .strip_suffix('\n')
        .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text))
        .to_owned())
}

fn run(command: &str) -> Result<String, String> {
    let output =
        Command::new("sh").args(["-c", command]).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "it did not print UTF-8".to_owned())
}

/// Whether a librdkafka property holds a secret: its value is shown as `***` everywhere.
#[must_use]
pub(super) fn is_secret(property: &str) -> bool {
    ["password", "secret", "token", "key.pem", "sasl.oauthbearer.config", "jaas"]
        .iter()
        .any(|word| property.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_where_the_table_points() {
        let environment = Environment::of([("PASSWORD", "from env")]);
        let table = |text: &str| text.parse::<toml::Table>().unwrap();
        assert_eq!(read("k", &table("env = 'PASSWORD'"), &environment).unwrap(), "from env");
        assert_eq!(
            read("k", &table("command = 'echo from command'"), &environment).unwrap(),
            "from command"
        );
        for bad in ["env = 'MISSING'", "command = 'exit 3'", "other = 'x'", "", "env = 1"] {
            assert!(read("k", &table(bad), &environment).is_err(), "{bad}");
        }
    }
}
