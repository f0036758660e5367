//! An upload as a command of curl that sends the same: the same route, fields, names and headers, in
//! the same order.

use std::path::Path;
use std::time::Duration;

use super::{UploadRequest, Warehouse, WarehouseError};
use crate::base::Rate;
use crate::base::shell::quoted;

/// Where the command finds the file that it sends.
#[derive(Clone, Copy, Debug)]
pub enum CurlFile<'a> {
    At(&'a Path),
    /// A path in double quotes of the shell, with variables in it.
    Expanded(&'a str),
}

impl Warehouse {
    /// The command, one argument a line.
    ///
    /// # Errors
    /// The upload cannot be sent at all, or not by curl.
    pub fn curl_command(
        &self,
        request: &UploadRequest<'_>,
        file: CurlFile<'_>,
        limit: Option<Rate>,
    ) -> Result<String, WarehouseError> {
        request.body_length()?;
        // Brackets and braces would be patterns to curl.
        let mut lines = vec!["curl -sS --fail-with-body --globoff".to_owned()];
        let a_second = |rate: Rate| rate.bytes_in(Duration::from_secs(1));
        lines.extend(limit.map(|rate| format!("--limit-rate {}", a_second(rate))));
        let task = request.task_id.as_ref();
        lines.extend(task.map(|id| format!("-H {}", quoted(&format!("X-Task-ID: {id}")))));
        for (name, value) in &request.fields {
            check(name, value)?;
            lines.push(format!("--form-string {}", quoted(&format!("{name}={value}"))));
        }
        let path = match file {
            CurlFile::At(path) => quoted(&escaped(&local(path)?)),
            CurlFile::Expanded(path) => format!("\"{path}\""),
        };
        let (head, tail) = (
            format!("{}=@\"", request.shape.field()),
            format!(
                "\";filename=\"{}\";type={}",
                escaped(&request.filename),
                request.shape.content_type()
            ),
        );
        lines.push(format!("-F {}{path}{}", quoted(&head), quoted(&tail)));
        lines.push(quoted(&format!("{}{}", self.address().origin(), request.path(self))));
        Ok(lines.join(" \\\n  "))
    }
}

/// A path that curl takes for one: a bare `-` is its standard input.
fn local(path: &Path) -> Result<String, WarehouseError> {
    let text = path.to_str().ok_or_else(|| WarehouseError::FileName {
        name: path.display().to_string(),
        reason: "it is not UTF-8, and no command line says it".to_owned(),
    })?;
    Ok(if text == "-" { "./-".to_owned() } else { text.to_owned() })
}

/// As curl reads what stands in double quotes in `-F`.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#)
}

/// Whether a field can be told to curl: it takes what stands before the first `=` for the name, and
/// no argument of a program holds a zero.
fn check(name: &str, value: &str) -> Result<(), WarehouseError> {
    let refuse = |reason: &str| {
        Err(WarehouseError::Field { name: name.to_owned(), reason: reason.to_owned() })
    };
    if name.contains('=') {
        return refuse("curl sends no field whose name has = in it");
    }
    if name.contains('\0') || value.contains('\0') {
        return refuse("no command line holds the zero in it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_argument_of_curl_says_is_refused() {
        assert!(check("name", "a=b\n@<").is_ok());
        assert!(check("a=b", "c").is_err() && check("a", "b\0").is_err());
    }

    #[test]
    fn a_path_is_never_standard_input() {
        assert_eq!(local(Path::new("-")).unwrap(), "./-");
        assert_eq!(escaped(r#"a"b\c"#), r#"a\"b\\c"#);
    }
}
