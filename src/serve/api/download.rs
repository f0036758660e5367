//! Downloads: one file's bytes, or all files of a model as a zip archive that is made while it is
//! sent. Lengths are known beforehand, memory is bounded by a chunk a request.

use std::io;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use tokio::io::AsyncReadExt;

use super::App;
use super::models::{VersionQuery, not_found};
use super::refusal::Refused;
use crate::archive::format::{EntryHead, archive_length, directory, local_header};
use crate::serve::store::{StoredContent, StoredFile};

/// Bytes read at once: one hop to a thread for blocking work each.
const CHUNK: usize = 1024 * 1024;

pub(super) async fn download(
    State(app): State<App>,
    Path((user, model)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Response, Refused> {
    let files = app
        .store
        .model_files(query.key(user, model.clone()))
        .await
        .map_err(|error| not_found(&error, "Failed to download AI model"))?;
    Ok(match query.filename {
        Some(name) => {
            let file = find(files, &name)
                .ok_or_else(|| Refused::not_found(format!("File '{name}' not found in model")))?;
            one(file, name.rsplit('/').next().unwrap_or(&name))
        }
        None => archive(files, &format!("{model}_{}.zip", query.version)),
    })
}

/// One file's bytes under a name.
pub(super) fn one(file: StoredFile, name: &str) -> Response {
    let body = Body::from_stream(content(file.content));
    reply("application/octet-stream", name, file.size, body)
}

/// By the whole path, else by the base name, of which the first of the record wins.
fn find(files: Vec<StoredFile>, name: &str) -> Option<StoredFile> {
    let is_called = |file: &StoredFile| file.path.rsplit('/').next() == Some(name);
    let mut named: Vec<StoredFile> =
        files.into_iter().filter(|file| file.path == name || is_called(file)).collect();
    named.sort_by_key(|file| (file.path != name, file.place));
    named.into_iter().next()
}

type Chunk = Result<Bytes, io::Error>;

fn content(content: StoredContent) -> stream::BoxStream<'static, Chunk> {
    match content {
        StoredContent::Inline(bytes) => stream::once(async move { Ok(Bytes::from(bytes)) }).boxed(),
        StoredContent::File(path) => stream::once(async move { tokio::fs::File::open(path).await })
            .flat_map(|opened| match opened {
                Ok(file) => chunks(file).boxed(),
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            })
            .boxed(),
    }
}

fn chunks(mut file: tokio::fs::File) -> impl stream::Stream<Item = Chunk> {
    file.set_max_buf_size(CHUNK);
    stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let mut buffer = bytes::BytesMut::with_capacity(CHUNK);
        match file.read_buf(&mut buffer).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(buffer.freeze()), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// All files, stored as they are, in the order of their paths.
fn archive(files: Vec<StoredFile>, name: &str) -> Response {
    let heads: Vec<EntryHead> = files
        .iter()
        .map(|file| EntryHead {
            name: file.path.clone(),
            size: file.size,
            deflated: None,
            crc32: file.crc32,
        })
        .collect();
    let length = archive_length(heads.iter().map(|head| (head.name.as_str(), head.size)));
    let end = Bytes::from(directory(&heads));
    let entries = stream::iter(heads.into_iter().zip(files)).flat_map(|(head, file)| {
        let header = Bytes::from(local_header(&head));
        stream::once(async move { Ok(header) }).chain(content(file.content))
    });
    let body = Body::from_stream(entries.chain(stream::once(async move { Ok(end) })));
    reply("application/zip", name, length, body)
}

fn reply(kind: &'static str, name: &str, length: u64, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, disposition(name)),
    ];
    (headers, body).into_response()
}

/// The name as the service sends it where a header can hold it, else as RFC 6266 says: the service
/// fails there (contract B17).
fn disposition(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'\'' | b'*'..=b'+' | b'-'..=b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~'));
    if is_plain {
        return format!("attachment; filename={name}");
    }
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename*=utf-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_header_holds_are_encoded() {
        assert_eq!(disposition("model.pkl"), "attachment; filename=model.pkl");
        assert_eq!(disposition("my model.pkl"), "attachment; filename*=utf-8''my%20model.pkl");
        assert_eq!(disposition("μ\r\n\"x"), "attachment; filename*=utf-8''%CE%BC%0D%0A%22x");
    }
}
