//! Which generation of the API this is (contract, section 0): told by `/openapi.json`, and where
//! there is none by how the upload routes answer an empty request. The answer is kept per address
//! for an hour, and dropped when a reply does not fit it.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::transport::Call;
use super::{Warehouse, WarehouseError};
use crate::base::Deadline;
use crate::base::file::{read_regular_text, write_regular};
use crate::schema::role::Dialect;

/// How long each question about the dialect may take: the service answers them from memory, and what
/// is no HTTP server at all may never answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer is believed: a service that was renewed takes the old requests too, so no reply
/// would tell.
const BELIEVED: Duration = Duration::from_secs(60 * 60);
const SINGLE: &str = "/ai-models/upload/single";
const SINGLE_OF_USER: &str = "/ai-models/upload/single/{user_id}";

/// Dialects of addresses that were asked before: one small file an address.
#[derive(Clone, Debug)]
pub struct DialectCache {
    folder: Option<PathBuf>,
}

impl DialectCache {
    pub(super) fn new(cache_dir: Option<PathBuf>) -> Self {
        Self { folder: cache_dir.map(|folder| folder.join("dialects")) }
    }

    fn path(&self, address: &str) -> Option<PathBuf> {
        let name: String =
            address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Some(self.folder.as_ref()?.join(name))
    }

    fn read(&self, address: &str) -> Option<Dialect> {
        let path = self.path(address)?;
        let age = std::fs::metadata(&path).ok()?.modified().ok()?.elapsed().ok()?;
        if age > BELIEVED {
            return None;
        }
        let text = read_regular_text(&path).ok()?;
        // Different addresses can share a name, so the file says whose it is.
        let (dialect, of) = text.trim_end().split_once(' ')?;
        (of == address).then(|| dialect.parse().ok()).flatten()
    }

    /// What cannot be kept is asked again the next time.
    fn write(&self, address: &str, dialect: Dialect) {
        let Some(path) = self.path(address) else { return };
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let line = format!("{dialect} {address}\n");
        let _ = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| write_regular(&beside, line.as_bytes()))
            .and_then(|()| std::fs::rename(&beside, &path));
    }

    fn forget(&self, address: &str) {
        if let Some(path) = self.path(address) {
            // A file that is not there is forgotten already.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Warehouse {
    /// The newest dialect that the API speaks, from the cache or by asking.
    ///
    /// # Errors
    /// The API cannot be reached, or it is no warehouse.
    pub async fn dialect(&self, deadline: Deadline) -> Result<Dialect, WarehouseError> {
        let address = self.address().to_string();
        if let Some(dialect) = self.cache.read(&address) {
            return Ok(dialect);
        }
        let dialect = match self.detect(deadline.within(PATIENCE)).await {
            Err(WarehouseError::Deadline { .. }) if !deadline.has_passed() => {
                return Err(WarehouseError::Silent {
                    address: self.address().to_string(),
                    seconds: PATIENCE.as_secs(),
                });
            }
            detected => detected?,
        };
        self.cache.write(&address, dialect);
        Ok(dialect)
    }

    /// Forgets what is known of this address: a reply did not fit it.
    pub fn forget_dialect(&self) {
        self.cache.forget(&self.address().to_string());
    }

    async fn detect(&self, deadline: Deadline) -> Result<Dialect, WarehouseError> {
        let action = "find out the API's dialect";
        let reply = self.fetch(self.address().path(&["openapi.json"]), action, deadline).await?;
        if reply.status.is_success() {
            let document: Value = self.read(reply, action).await?.value;
            if let Some(dialect) = of_openapi(&document) {
                return Ok(dialect);
            }
        } else {
            // Whatever it says, the upload routes say more.
            drop(reply);
        }
        self.probe(action, deadline).await
    }

    /// Asks the routes themselves, with requests that are refused before they change anything.
    async fn probe(&self, action: &str, deadline: Deadline) -> Result<Dialect, WarehouseError> {
        let empty = |segments: &[&str]| {
            Call::with_json(Method::POST, self.address().path(segments), Bytes::new())
        };
        let single = empty(&["ai-models", "upload", "single"]);
        let reply = self.transport.call(single, action, None, deadline).await?;
        match reply.status.as_u16() {
            422 => return Ok(Dialect::Form),
            405 => {}
            _ => {
                self.succeed(reply, action).await?;
                return Err(self.nonsense(action, "success to an upload of nothing", ""));
            }
        }
        let claim = empty(&["jobs", "automl", "claim"]);
        let reply = self.transport.call(claim, action, None, deadline).await?;
        Ok(if reply.status.as_u16() == 422 { Dialect::Task } else { Dialect::Flat })
    }
}

/// What the paths of an `OpenAPI` document say; `None` where it has no upload of models.
fn of_openapi(document: &Value) -> Option<Dialect> {
    let paths = document.get("paths")?;
    if let Some(upload) = paths.get(SINGLE_OF_USER) {
        let takes_task = upload["post"]["parameters"].as_array().is_some_and(|parameters| {
            parameters.iter().any(|parameter| {
                parameter["in"] == "header"
                    && parameter["name"]
                        .as_str()
                        .is_some_and(|name| name.eq_ignore_ascii_case("x-task-id"))
            })
        });
        return Some(if takes_task { Dialect::Task } else { Dialect::Flat });
    }
    paths.get(SINGLE).map(|_| Dialect::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_dialect_of_a_document_is_taken() {
        let of_user = |parameters: Value| json!({"paths": {SINGLE: {}, SINGLE_OF_USER: {"post": {"parameters": parameters}}}});
        assert_eq!(of_openapi(&json!({"paths": {SINGLE: {}}})), Some(Dialect::Form));
        assert_eq!(of_openapi(&of_user(json!([]))), Some(Dialect::Flat));
        let header = json!([{"name": "X-Task-ID", "in": "header"}]);
        assert_eq!(of_openapi(&of_user(header)), Some(Dialect::Task));
        assert_eq!(of_openapi(&json!({"paths": {}})), None);
    }

    #[test]
    fn an_answer_is_kept_per_address_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DialectCache::new(Some(folder.path().to_owned()));
        assert_eq!(cache.read("http://a:1"), None);
        cache.write("http://a:1", Dialect::Flat);
        assert_eq!(cache.read("http://a:1"), Some(Dialect::Flat));
        assert_eq!(cache.read("http://a.1"), None, "another address of the same file name");
        cache.forget("http://a:1");
        assert_eq!(cache.read("http://a:1"), None);
    }

    #[test]
    fn an_old_answer_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DialectCache::new(Some(folder.path().to_owned()));
        cache.write("http://a:1", Dialect::Flat);
        let file = std::fs::File::options().write(true).open(cache.path("http://a:1").unwrap());
        let long_ago = std::time::SystemTime::now() - 2 * BELIEVED;
        file.unwrap().set_modified(long_ago).unwrap();
        assert_eq!(cache.read("http://a:1"), None);
    }
}
