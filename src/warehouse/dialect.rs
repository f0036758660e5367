//! Which generations of the API an address speaks (contract, section 0): read from `/openapi.json`,
//! and if there is none, from how the upload routes answer an empty request. The answer is cached per
//! address for an hour. Whatever depends on it for more than the form of a request asks anew, since a
//! renewed service accepts the old requests too; and a reply of another server drops the cached answer.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::transport::Call;
use super::{Warehouse, WarehouseError};
use crate::base::Deadline;
use crate::base::file::{read_regular_text, write_regular};
use crate::schema::generation::DialectSet;
use crate::schema::role::Dialect;

/// How long each question about the dialect may take: the service answers them from memory, and what
/// is no HTTP server at all may never answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a cached answer is used: a service that was renewed accepts the old requests too, so no
/// reply would contradict it.
const BELIEVED: Duration = Duration::from_secs(60 * 60);
const ACTION: &str = "find out the API's dialect";
const SINGLE: &str = "/ai-models/upload/single";
const SINGLE_OF_USER: &str = "/ai-models/upload/single/{user_id}";

/// What was found out about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownApi {
    dialects: DialectSet,
    /// The `Server` header of its replies.
    server: Option<String>,
}

/// Dialects of addresses that were asked before: one small file an address.
#[derive(Debug)]
pub struct DialectCache {
    folder: Option<PathBuf>,
    /// What this process asked itself, or read from its file.
    known: Mutex<DialectMemory>,
}

#[derive(Debug, Default)]
struct DialectMemory {
    asked: Option<KnownApi>,
    cached: Option<KnownApi>,
}

impl DialectCache {
    pub(super) fn new(cache_dir: Option<PathBuf>) -> Self {
        Self { folder: cache_dir.map(|folder| folder.join("dialects")), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, DialectMemory> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that this process was given, if it asked.
    fn asked(&self) -> Option<DialectSet> {
        self.known().asked.as_ref().map(|api| api.dialects)
    }

    /// The answer that this process was given, or an earlier one.
    fn recall(&self, address: &str) -> Option<DialectSet> {
        if let Some(dialects) = self.asked() {
            return Some(dialects);
        }
        let cached = self.read(address);
        let dialects = cached.as_ref().map(|api| api.dialects);
        self.known().cached = cached;
        dialects
    }

    fn keep(&self, address: &str, api: KnownApi) {
        self.write(address, &api);
        self.known().asked = Some(api);
    }

    fn path(&self, address: &str) -> Option<PathBuf> {
        let name: String =
            address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Some(self.folder.as_ref()?.join(name))
    }

    fn read(&self, address: &str) -> Option<KnownApi> {
        let path = self.path(address)?;
        let metadata = std::fs::metadata(&path).ok()?;
        // A pipe or a device in its place would never end.
        if !metadata.is_file() || metadata.modified().ok()?.elapsed().ok()? > BELIEVED {
            return None;
        }
        let text = read_regular_text(&path).ok()?;
        let mut lines = text.lines();
        // Different addresses can share a name, so the file says whose it is.
        let (dialects, of) = lines.next()?.split_once(' ')?;
        let dialects = (of == address).then(|| dialects.parse().ok()).flatten()?;
        Some(KnownApi { dialects, server: lines.next().map(str::to_owned) })
    }

    /// What cannot be kept is asked again the next time.
    fn write(&self, address: &str, api: &KnownApi) {
        let Some(path) = self.path(address) else { return };
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let mut text = format!("{} {address}\n", api.dialects);
        text.extend(api.server.iter().flat_map(|server| [server.as_str(), "\n"]));
        let _ = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| write_regular(&beside, text.as_bytes()))
            .and_then(|()| std::fs::rename(&beside, &path));
    }

    fn forget(&self, address: &str) {
        *self.known() = DialectMemory::default();
        if let Some(path) = self.path(address) {
            // A file that is not there is forgotten already.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Whether a reply comes from another server than the one that the cached answer is about.
    fn contradicts(&self, server: Option<&str>) -> bool {
        let known = self.known();
        known.asked.is_none()
            && known.cached.as_ref().is_some_and(|api| api.server.as_deref() != server)
    }
}

impl Warehouse {
    /// Returns the newest dialect that the API speaks, from the cache or by asking.
    ///
    /// # Errors
    /// The API cannot be reached, or it is no warehouse.
    pub async fn dialect(&self, deadline: Deadline) -> Result<Dialect, WarehouseError> {
        match self.cache.recall(&self.address().to_string()).and_then(DialectSet::newest) {
            Some(dialect) => Ok(dialect),
            None => self.ask_dialect(deadline).await,
        }
    }

    /// Returns the newest dialect that the API speaks, asked by this process.
    ///
    /// # Errors
    /// As [`Warehouse::dialect`].
    pub async fn ask_dialect(&self, deadline: Deadline) -> Result<Dialect, WarehouseError> {
        let dialects = self.ask_dialects(deadline).await?;
        dialects.newest().ok_or_else(|| self.nonsense(ACTION, "no dialect at all", ""))
    }

    /// Returns every dialect that the API speaks, asked by this process.
    ///
    /// # Errors
    /// As [`Warehouse::dialect`].
    pub async fn ask_dialects(&self, deadline: Deadline) -> Result<DialectSet, WarehouseError> {
        if let Some(dialects) = self.cache.asked() {
            return Ok(dialects);
        }
        let api = match self.detect(deadline.within(PATIENCE)).await {
            Err(WarehouseError::Deadline { .. }) if !deadline.has_passed() => {
                return Err(WarehouseError::Silent {
                    address: self.address().to_string(),
                    seconds: PATIENCE.as_secs(),
                });
            }
            detected => detected?,
        };
        let dialects = api.dialects;
        self.cache.keep(&self.address().to_string(), api);
        Ok(dialects)
    }

    /// Returns the dialects that are known without a question.
    #[must_use]
    pub fn known_dialects(&self) -> Option<DialectSet> {
        self.cache.recall(&self.address().to_string())
    }

    /// Forgets what is known of this address: a reply did not fit it.
    pub fn forget_dialect(&self) {
        self.cache.forget(&self.address().to_string());
    }

    /// Forgets a cached answer if a reply comes from another server than the answer did.
    pub fn check_server(&self, server: Option<&str>) {
        if self.cache.contradicts(server) {
            self.forget_dialect();
        }
    }

    async fn detect(&self, deadline: Deadline) -> Result<KnownApi, WarehouseError> {
        let reply = self.fetch(self.address().path(&["openapi.json"]), ACTION, deadline).await?;
        let server = reply.server();
        if reply.status.is_success() {
            let document: Value = self.read(reply, ACTION).await?.value;
            let dialects = dialects_of_openapi(&document);
            if !dialects.is_empty() {
                return Ok(KnownApi { dialects, server });
            }
        } else {
            // Whatever it says, the upload routes say more.
            drop(reply);
        }
        let dialects = DialectSet::only(self.probe(ACTION, deadline).await?);
        Ok(KnownApi { dialects, server })
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

/// Returns the dialects whose uploads of models an `OpenAPI` document has.
fn dialects_of_openapi(document: &Value) -> DialectSet {
    let path = |name: &str| document.get("paths").and_then(|paths| paths.get(name));
    let form = path(SINGLE).is_some();
    let of_user = path(SINGLE_OF_USER);
    let task = of_user.is_some_and(takes_task);
    // Only a server of all generations has both paths; its tasks are optional.
    let flat = of_user.is_some() && (form || !task);
    let spoken = [(Dialect::Form, form), (Dialect::Flat, flat), (Dialect::Task, task)];
    spoken.into_iter().filter(|(_, is_spoken)| *is_spoken).map(|(dialect, _)| dialect).collect()
}

fn takes_task(upload: &Value) -> bool {
    upload["post"]["parameters"].as_array().is_some_and(|parameters| {
        parameters.iter().any(|parameter| {
            parameter["in"] == "header"
                && parameter["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case("x-task-id"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_dialect_of_a_document_is_found() {
        let header = json!([{"name": "X-Task-ID", "in": "header"}]);
        let of_user = |parameters: &Value| json!({"post": {"parameters": parameters}});
        let (flat, task) = (of_user(&json!([])), of_user(&header));
        for (paths, dialects) in [
            (json!({SINGLE: {}}), "form"),
            (json!({SINGLE_OF_USER: flat}), "flat"),
            (json!({SINGLE_OF_USER: task}), "task"),
            (json!({SINGLE: {}, SINGLE_OF_USER: flat}), "form,flat"),
            (json!({SINGLE: {}, SINGLE_OF_USER: task}), "form,flat,task"),
            (json!({}), ""),
        ] {
            let found = dialects_of_openapi(&json!({"paths": paths}));
            assert_eq!(found.to_string(), dialects, "{paths}");
        }
    }

    fn api(dialects: &str, server: &str) -> KnownApi {
        KnownApi { dialects: dialects.parse().unwrap(), server: Some(server.to_owned()) }
    }

    fn cache(folder: &tempfile::TempDir) -> DialectCache {
        DialectCache::new(Some(folder.path().to_owned()))
    }

    #[test]
    fn an_answer_is_kept_per_address_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let of_process = cache(&folder);
        assert_eq!(of_process.recall("http://a:1"), None);
        of_process.keep("http://a:1", api("flat", "uvicorn"));
        let next = cache(&folder);
        assert_eq!(next.recall("http://a:1"), Some(DialectSet::only(Dialect::Flat)));
        assert_eq!(next.asked(), None, "an earlier answer is not one to this process");
        assert_eq!(next.recall("http://a.1"), None, "another address of the same file name");
        next.forget("http://a:1");
        assert_eq!(cache(&folder).recall("http://a:1"), None);
    }

    #[test]
    fn an_old_answer_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        cache.write("http://a:1", &api("flat", "uvicorn"));
        let file = std::fs::File::options().write(true).open(cache.path("http://a:1").unwrap());
        let long_ago = std::time::SystemTime::now() - 2 * BELIEVED;
        file.unwrap().set_modified(long_ago).unwrap();
        assert_eq!(cache.recall("http://a:1"), None);
    }

    #[test]
    fn a_reply_of_another_server_contradicts_only_an_earlier_answer() {
        let folder = tempfile::tempdir().unwrap();
        cache(&folder).keep("http://a:1", api("task", "uvicorn"));
        let next = cache(&folder);
        assert!(!next.contradicts(Some("dwctl/1")), "nothing was recalled");
        assert!(next.recall("http://a:1").is_some());
        assert!(!next.contradicts(Some("uvicorn")));
        assert!(next.contradicts(Some("dwctl/1")) && next.contradicts(None));
        next.keep("http://a:1", api("task", "dwctl/1"));
        assert!(!next.contradicts(Some("uvicorn")), "this process asked");
    }

    #[test]
    fn what_was_written_by_others_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let path = cache.path("http://a:1").unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for text in ["", "flat", "old http://a:1\n", "flat http://b:1\n", " http://a:1\n"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(cache.recall("http://a:1"), None, "{text:?}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(cache.recall("http://a:1"), None);
    }
}
