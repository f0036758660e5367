//! The record of an upload, taken apart while it comes: that of a hundred thousand files is thirty
//! mebibytes of text, of which a third is what has to be known of them.

use std::io::{self, Read};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::refusal::first_line;
use super::transport::Reply;
use super::{Warehouse, WarehouseError};
use crate::base::Deadline;
use crate::schema::model::{Model, ModelFile, StoredFile};

/// A record with its files apart.
#[derive(Debug)]
pub(super) struct Record {
    /// Without files.
    pub model: Model,
    pub files: Vec<StoredFile>,
    /// As it came, where it was to be kept.
    pub text: Option<Box<RawValue>>,
}

/// What is read of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Bytes that it may have.
    pub limit: usize,
    pub keeps_text: bool,
    /// Files that it will tell of, as far as is known.
    pub files: usize,
}

/// Pieces on their way from the connection to the parser.
const PIECES: usize = 4;
/// Bytes of a reply's beginning that an error may show.
const HEAD: usize = 1024;

impl Warehouse {
    /// Reads a reply as the record of a model; anything but success is an error in the server's words.
    pub(super) async fn read_record(
        &self,
        mut reply: Reply,
        reading: Reading,
        action: &str,
        deadline: Deadline,
    ) -> Result<Record, WarehouseError> {
        if !reply.status.is_success() {
            self.succeed(reply, action, deadline).await?;
            return Err(self.nonsense(action, "neither a record nor a refusal", ""));
        }
        let (pieces, coming) = mpsc::channel(PIECES);
        let parsing = tokio::task::spawn_blocking(move || {
            let kept = reading.keeps_text.then(Vec::new);
            let mut pieces = Pieces { coming, piece: Bytes::new(), head: Vec::new(), kept };
            (parse(&mut pieces, reading.files), pieces)
        });
        let mut length = 0;
        let fault = loop {
            match reply.chunk(action, deadline).await {
                Ok(Some(bytes)) => {
                    length += bytes.len();
                    if length > reading.limit {
                        break Some(
                            reply.nonsense(action, &format!("more than {} bytes", reading.limit)),
                        );
                    }
                    // A parser that wants no more has found a fault of its own.
                    if pieces.send(bytes).await.is_err() {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        drop(pieces);
        let (parsed, pieces) = parsing
            .await
            .map_err(|error| WarehouseError::Client(io::Error::other(error).into()))?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let Parsed { model, files } = parsed.map_err(|error| {
            let what = match error.is_data() {
                true => format!("JSON of another shape ({error})"),
                false => "what is no JSON".to_owned(),
            };
            self.nonsense(action, &what, &String::from_utf8_lossy(&pieces.head))
        })?;
        // It has been parsed, and so is text.
        let text = pieces.kept.and_then(|kept| String::from_utf8(kept).ok());
        let text = text.and_then(|text| RawValue::from_string(text).ok());
        Ok(Record { model, files, text })
    }

    fn nonsense(&self, action: &str, what: &str, text: &str) -> WarehouseError {
        WarehouseError::Nonsense {
            action: action.to_owned(),
            address: self.address().to_string(),
            what: what.to_owned(),
            line: first_line(text),
        }
    }
}

/// A reader of what comes piece by piece.
struct Pieces {
    coming: mpsc::Receiver<Bytes>,
    piece: Bytes,
    head: Vec<u8>,
    kept: Option<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.coming.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
            let missing = HEAD.saturating_sub(self.head.len()).min(self.piece.len());
            self.head.extend_from_slice(&self.piece[..missing]);
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(&self.piece);
            }
        }
        let length = room.len().min(self.piece.len());
        room[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

struct Parsed {
    model: Model,
    files: Vec<StoredFile>,
}

/// Takes a record apart; there is room for so many files at first.
fn parse(text: impl Read, files: usize) -> serde_json::Result<Parsed> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let parsed = Fields { files }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(parsed)
}

/// The fields of a record.
struct Fields {
    files: usize,
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Parsed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Parsed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the record of a model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let (mut others, mut files) = (Map::new(), Vec::with_capacity(self.files));
        while let Some(name) = map.next_key::<String>()? {
            if name == "files" {
                map.next_value_seed(Files(&mut files))?;
            } else {
                others.insert(name, map.next_value()?);
            }
        }
        let model = serde_json::from_value(Value::Object(others));
        Ok(Parsed { model: model.map_err(A::Error::custom)?, files })
    }
}

/// Takes one file after the other, each into its small form.
struct Files<'a>(&'a mut Vec<StoredFile>);

impl<'de> DeserializeSeed<'de> for Files<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Files<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(file) = files.next_element::<ModelFile>()? {
            self.0.push(StoredFile::from(&file));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_taken_apart_wherever_its_files_stand() {
        let file =
            r#"{"filename":"b","file_path":"models/u/m/v1/a/b","file_size":3,"file_hash":"x"}"#;
        let rest = r#""model_id":"m","user_id":"u","name":"N","version":"v1","framework":"onnx","model_type":"nlp""#;
        for text in
            [format!("{{\"files\":[{file}],{rest}}}"), format!("{{{rest},\"files\":[{file}]}}")]
        {
            let parsed = parse(text.as_bytes(), 1).unwrap();
            assert_eq!((parsed.model.coordinates().as_str(), parsed.files.len()), ("u/m@v1", 1));
            assert_eq!(&*parsed.files[0].path, "a/b");
        }
        let bare = parse(format!("{{{rest}}}").as_bytes(), 0).unwrap();
        assert!(parse(format!("{{{rest}}} x").as_bytes(), 0).is_err());
        assert!(bare.files.is_empty() && bare.model.files.is_empty());
    }
}
