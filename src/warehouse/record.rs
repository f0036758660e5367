//! The record of an upload, taken apart while it comes: that of a hundred thousand files is thirty
//! mebibytes of text, of which nothing has to stay where each file is looked at as it comes.

use std::io::{self, BufReader, Read};

use bytes::{Buf, Bytes};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::refusal::first_line;
use super::transport::Reply;
use super::{Warehouse, WarehouseError};
use crate::schema::model::{Model, ModelFile};

/// Takes the files of a record one after the other.
pub trait FileSink: Send {
    fn take(&mut self, file: ModelFile);
}

/// With something to keep beside it.
impl<T: Send, S: FileSink> FileSink for (T, S) {
    fn take(&mut self, file: ModelFile) {
        self.1.take(file);
    }
}

/// A record, and what took its files.
#[derive(Debug)]
pub(super) struct Record<S> {
    /// Without files.
    pub model: Model,
    pub sink: S,
    /// As it came, where it was to be kept.
    pub text: Option<Box<RawValue>>,
}

/// What is read of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Bytes that it may have.
    pub limit: usize,
    pub keeps_text: bool,
}

/// Bytes between the pieces and the parser.
const BUFFER: usize = 64 * 1024;
/// Pieces on their way from the connection to the parser.
const PIECES: usize = 4;
/// Bytes of a reply's beginning that an error may show.
const HEAD: usize = 1024;

impl Warehouse {
    /// Reads the reply of a success as the record of a model. What is to take its files is made on a
    /// thread for blocking work.
    ///
    /// # Errors
    /// The reply is none, or does not come to its end. The first of the two errors is of whoever makes
    /// the sink.
    pub(super) async fn read_record<S: FileSink + 'static, E: Send + 'static>(
        &self,
        reply: Reply,
        reading: Reading,
        sink: impl FnOnce() -> Result<S, E> + Send + 'static,
        action: &str,
    ) -> Result<Result<Record<S>, E>, WarehouseError> {
        let mut reply = reply.into_document();
        let (pieces, coming) = mpsc::channel(PIECES);
        let parsing = tokio::task::spawn_blocking(move || {
            let kept = reading.keeps_text.then(Vec::new);
            let pieces = Pieces { coming, piece: Bytes::new(), head: Vec::new(), kept };
            // The parser takes byte by byte.
            let mut pieces = BufReader::with_capacity(BUFFER, pieces);
            let parsed =
                sink().map(|mut sink| parse(&mut pieces, &mut sink).map(|model| (model, sink)));
            let mut pieces = pieces.into_inner();
            // A parser that has found a fault takes no more: whoever sends must not wait for it.
            pieces.coming.close();
            (parsed, pieces)
        });
        pass_on(&mut reply, pieces, reading.limit).await?;
        let (parsed, pieces) = reply
            .until_deadline(parsing)
            .await?
            .map_err(|error| WarehouseError::Client(io::Error::other(error).into()))?;
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(own) => return Ok(Err(own)),
        };
        let (model, sink) = parsed.map_err(|error| {
            let what = match error.is_data() {
                true => format!("JSON of another shape ({error})"),
                false => "what is no JSON".to_owned(),
            };
            self.nonsense(action, &what, &String::from_utf8_lossy(&pieces.head))
        })?;
        // It has been parsed, and so is text.
        let text = pieces.kept.and_then(|kept| String::from_utf8(kept).ok());
        let text = text.and_then(|text| RawValue::from_string(text).ok());
        Ok(Ok(Record { model, sink, text }))
    }

    pub(super) fn nonsense(&self, action: &str, what: &str, text: &str) -> WarehouseError {
        WarehouseError::Nonsense {
            action: action.to_owned(),
            address: self.transport.peer(),
            what: what.to_owned(),
            line: first_line(text),
        }
    }
}

/// Hands the body to the parser, until one of the two has an end.
async fn pass_on(
    reply: &mut Reply,
    pieces: mpsc::Sender<Bytes>,
    limit: usize,
) -> Result<(), WarehouseError> {
    let mut length = 0;
    while let Some(bytes) = reply.chunk().await? {
        length += bytes.len();
        if length > limit {
            return Err(reply.nonsense(&format!("more than {limit} bytes")));
        }
        // A parser that takes no more has found a fault of its own.
        if reply.until_deadline(pieces.send(bytes)).await?.is_err() {
            return Ok(());
        }
    }
    Ok(())
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
        room[..length].copy_from_slice(&self.piece[..length]);
        self.piece.advance(length);
        Ok(length)
    }
}

/// Takes a record apart: the model without its files, which go into the sink.
fn parse(text: impl Read, sink: &mut dyn FileSink) -> serde_json::Result<Model> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let model = Fields(sink).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(model)
}

/// The fields of a record.
struct Fields<'a>(&'a mut dyn FileSink);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Model;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Model, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Model;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the record of a model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Model, A::Error> {
        let mut others = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "files" {
                map.next_value_seed(Files(&mut *self.0))?;
            } else {
                others.insert(name, map.next_value()?);
            }
        }
        serde_json::from_value(Value::Object(others)).map_err(A::Error::custom)
    }
}

/// The files of a record.
struct Files<'a>(&'a mut dyn FileSink);

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
        while let Some(file) = files.next_element()? {
            self.0.take(file);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl FileSink for Vec<ModelFile> {
        fn take(&mut self, file: ModelFile) {
            self.push(file);
        }
    }

    #[test]
    fn a_record_is_taken_apart_wherever_its_files_stand() {
        let file =
            r#"{"filename":"b","file_path":"models/u/m/v1/a/b","file_size":3,"file_hash":"x"}"#;
        let rest = r#""model_id":"m","user_id":"u","name":"N","version":"v1","framework":"onnx","model_type":"nlp""#;
        for text in
            [format!("{{\"files\":[{file}],{rest}}}"), format!("{{{rest},\"files\":[{file}]}}")]
        {
            let mut files = Vec::new();
            let model = parse(text.as_bytes(), &mut files).unwrap();
            assert_eq!((model.coordinates().as_str(), files.len()), ("u/m@v1", 1));
            assert_eq!(files[0].relative_path(), "a/b");
        }
        let mut none: Vec<ModelFile> = Vec::new();
        let bare = parse(format!("{{{rest}}}").as_bytes(), &mut none).unwrap();
        assert!(none.is_empty() && bare.files.is_empty());
        assert!(parse(format!("{{{rest}}} x").as_bytes(), &mut none).is_err());
    }
}
