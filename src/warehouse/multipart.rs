//! Bodies of `multipart/form-data` (RFC 7578), written here because the part headers that libraries
//! write let a file name break out of its quotes. The length is known before the first byte.

use bytes::Bytes;

use super::WarehouseError;

/// Bytes that the service takes in a plain field.
const LARGEST_TEXT: usize = 1024 * 1024;
/// Bytes of a file name: the service's parser takes 4224 a header line, file systems 255 a name.
const LONGEST_NAME: usize = 255;

/// A body's text around its one file.
#[derive(Clone, Debug)]
pub(super) struct Multipart {
    pub boundary: String,
    /// All fields and the head of the file's part.
    pub prologue: Bytes,
    /// What follows the file's bytes.
    pub epilogue: Bytes,
}

/// The file's part.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilePart<'a> {
    pub field: &'a str,
    pub filename: &'a str,
    pub content_type: &'a str,
}

impl Multipart {
    /// Lays out fields and file; `token` is random, so that no content holds the boundary.
    ///
    /// # Errors
    /// A field is larger than the service takes, or the file's name cannot be sent.
    pub fn new(
        token: &str,
        fields: &[(String, String)],
        file: FilePart<'_>,
    ) -> Result<Self, WarehouseError> {
        check_filename(file.filename)?;
        let boundary = format!("dwctl-{token}");
        let mut text = String::new();
        for (name, value) in fields {
            if value.len() > LARGEST_TEXT {
                let reason =
                    format!("it has {} bytes; the service takes 1 MiB a field", value.len());
                return Err(WarehouseError::Field { name: name.clone(), reason });
            }
            if value.contains(&boundary) {
                let reason = "it holds the boundary of the request".to_owned();
                return Err(WarehouseError::Field { name: name.clone(), reason });
            }
            text += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                escape(name)
            );
        }
        text += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            escape(file.field),
            escape(file.filename),
            file.content_type
        );
        let epilogue = format!("\r\n--{boundary}--\r\n");
        Ok(Self { boundary, prologue: text.into(), epilogue: epilogue.into() })
    }

    /// Bytes of the whole body around a file of `length` bytes.
    pub fn length(&self, length: u64) -> u64 {
        self.prologue.len() as u64 + length + self.epilogue.len() as u64
    }

    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

/// As RFC 7578 and the living standard of HTML escape names: three characters, nothing else.
fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Whether a part's header carries a file's name whole.
///
/// # Errors
/// It does not, with the reason.
pub fn check_filename(name: &str) -> Result<(), WarehouseError> {
    let refuse = |reason: &str| {
        Err(WarehouseError::FileName { name: name.to_owned(), reason: reason.to_owned() })
    };
    if name.is_empty() {
        return refuse("it is empty");
    }
    if let Some(character) = name.chars().find(|character| character.is_control()) {
        return refuse(&format!("it holds the control character {character:?}"));
    }
    if name.contains(['/', '\\']) {
        return refuse("it holds a slash, which the service would take for a folder");
    }
    if name.len() > LONGEST_NAME {
        return refuse(&format!(
            "it has {} bytes; at most {LONGEST_NAME} are possible",
            name.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(fields: &[(&str, &str)], filename: &str) -> Result<String, WarehouseError> {
        let fields: Vec<_> =
            fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let file = FilePart { field: "file", filename, content_type: "application/octet-stream" };
        let parts = Multipart::new("T", &fields, file)?;
        let text = [&*parts.prologue, b"DATA", &*parts.epilogue].concat();
        assert_eq!(parts.length(4), text.len() as u64);
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn the_layout_is_the_one_of_the_standard() {
        assert_eq!(
            body(&[("name", "μ")], "m.pt").unwrap(),
            "--dwctl-T\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nμ\r\n--dwctl-T\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.pt\"\r\nContent-Type: application/octet-stream\r\n\r\nDATA\r\n--dwctl-T--\r\n"
        );
    }

    #[test]
    fn no_name_leaves_its_quotes() {
        let text = body(&[("a\"; x=\"\r\nb", "v")], "m\".pt").unwrap();
        assert!(
            text.contains("name=\"a%22; x=%22%0D%0Ab\"\r\n")
                && text.contains("filename=\"m%22.pt\"")
        );
    }

    #[test]
    fn what_cannot_be_sent_whole_is_refused() {
        for bad in ["", "a\r\nb", "a\0", "a/b", "a\\b", &"x".repeat(256)] {
            assert!(body(&[], bad).is_err(), "{bad:?}");
        }
        assert!(body(&[("description", &"x".repeat(LARGEST_TEXT + 1))], "m").is_err());
    }
}
