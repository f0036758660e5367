//! Models: list, record, files, download, change and deletion.

use bytes::Bytes;
use hyper::Method;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::pace::Paced;
use super::transport::{Call, Reply};
use super::{Received, Warehouse, WarehouseError};
use crate::base::Deadline;
use crate::base::text_pattern::Pattern;
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Model, ModelFile, ModelType};

/// Models that one page holds at most (contract 2.4).
const PAGE: usize = 1000;
/// Maximum number of models of one user: a list that is longer has no end.
const MOST_MODELS: usize = 1_000_000;

/// Which models of a user to list.
#[derive(Clone, Debug, Default)]
pub struct ModelQuery {
    pub framework: Option<String>,
    pub model_type: Option<String>,
    /// With commas between.
    pub tags: Option<String>,
    /// A pattern over name and description; uses the search route.
    pub search: Option<String>,
}

impl ModelQuery {
    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let model_type = if self.own_type().is_some() { &None } else { &self.model_type };
        let given = [
            ("framework", &self.framework),
            ("model_type", model_type),
            ("tags", &self.tags),
            ("query", &self.search),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    /// The type, if it must be looked for here: today's service stores `regression` under another word
    /// than it compares with (contract B14), and each of the two words is a 422 to some generation.
    fn own_type(&self) -> Option<ModelType> {
        ModelType::known(self.model_type.as_deref()?).filter(ModelType::has_two_words)
    }

    /// The text that is searched for as the service takes it, if it is a pattern.
    fn pattern(&self) -> Option<Pattern> {
        Pattern::parse(self.search.as_deref()?).ok()
    }
}

/// Whether a search finds a model: by the texts in which the service looks.
fn is_found(pattern: &Pattern, model: &Model) -> bool {
    let texts = [Some(&model.name), model.description.as_ref(), model.algorithm.as_ref()];
    texts.into_iter().flatten().chain(&model.tags).any(|text| pattern.is_in(text))
}

/// Bytes of a model on their way in.
pub struct Download {
    reply: Reply,
    /// As announced; the real service announces none.
    pub length: Option<u64>,
    /// Where a rate is kept: what waits for its turn.
    paced: Option<Paced>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Download {
    /// The next bytes; `None` at the end. The service sends lines: chunks may be tiny.
    ///
    /// # Errors
    /// The connection is lost, nothing comes for a minute, or the deadline passes.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WarehouseError> {
        let Some(paced) = &mut self.paced else {
            return self.reply.chunk().await;
        };
        if paced.is_empty() {
            match self.reply.chunk().await? {
                Some(bytes) if !bytes.is_empty() => paced.put(bytes),
                other => return Ok(other),
            }
        }
        self.reply.until_deadline(paced.piece()).await.map(Some)
    }
}

impl Warehouse {
    fn model_path(&self, tail: &[&str], query: &[(&str, &str)]) -> String {
        let segments: Vec<&str> =
            std::iter::once("ai-models").chain(tail.iter().copied()).collect();
        with_query(self.address().path(&segments), query)
    }

    /// All models of a user that fit, newest first.
    ///
    /// # Errors
    /// The API cannot be reached or says no.
    pub async fn models(
        &self,
        user: &UserId,
        query: &ModelQuery,
        deadline: Deadline,
    ) -> Result<Vec<Received<Model>>, WarehouseError> {
        let mut all = match self.model_pages(user, query, deadline).await {
            Err(error) if query.search.is_some() && error.status() == Some(404) => {
                // The first generation takes the route of a search for that of a model, and has none
                // of that name (contract 2.4).
                let Some(pattern) = query.pattern() else { return Err(error) };
                let without = ModelQuery { search: None, ..query.clone() };
                let mut all = self.model_pages(user, &without, deadline).await?;
                all.retain(|model| is_found(&pattern, &model.value));
                all
            }
            other => other?,
        };
        if let Some(wanted) = query.own_type().map(ModelType::normalised) {
            all.retain(|model| model.value.model_type.clone().normalised() == wanted);
        }
        Ok(all)
    }

    /// The models that the API gives, page by page.
    async fn model_pages(
        &self,
        user: &UserId,
        query: &ModelQuery,
        deadline: Deadline,
    ) -> Result<Vec<Received<Model>>, WarehouseError> {
        let action = format!("list the models of {user}");
        let route: &[&str] =
            if query.search.is_some() { &["search", user.as_str()] } else { &[user.as_str()] };
        let mut all: Vec<Received<Model>> = Vec::new();
        let mut last_page = None;
        loop {
            let (skip, limit) = (all.len().to_string(), PAGE.to_string());
            let mut pairs = query.pairs();
            pairs.extend([("skip", skip.as_str()), ("limit", limit.as_str())]);
            let reply = self.fetch(self.model_path(route, &pairs), &action, deadline).await?;
            let page = self.read::<Vec<Box<RawValue>>>(reply, &action).await?.value;
            let count = page.len();
            // A server that passes over `skip` has the same answer for ever.
            let begins = page.first().map(|text| text.get());
            if begins.is_some() && begins == last_page.map(|start: usize| all[start].text.get()) {
                return Err(self.nonsense(&action, "the same page of models again", ""));
            }
            last_page = Some(all.len());
            for text in page {
                let value = serde_json::from_str(text.get()).map_err(|error| {
                    let what = format!("a model of another shape ({error})");
                    self.nonsense(&action, &what, "")
                })?;
                all.push(Received { value, text });
            }
            if count < PAGE {
                return Ok(all);
            }
            if all.len() >= MOST_MODELS {
                let what = format!("more than {MOST_MODELS} models of one user");
                return Err(self.nonsense(&action, &what, ""));
            }
        }
    }

    /// One version of a model.
    ///
    /// # Errors
    /// There is none (404), or the API cannot be reached or says no.
    pub async fn model(
        &self,
        user: &UserId,
        model: &ModelId,
        version: &Version,
        deadline: Deadline,
    ) -> Result<Received<Model>, WarehouseError> {
        let action = format!("show {user}/{model}@{version}");
        let path =
            self.model_path(&[user.as_str(), model.as_str()], &[("version", version.as_str())]);
        let reply = self.fetch(path, &action, deadline).await?;
        let record: Received<Model> = self.read(reply, &action).await?;
        let found = &record.value;
        let is_asked_for = found.user_id == user.as_str()
            && found.model_id == model.as_str()
            && found.version == version.as_str();
        if !is_asked_for {
            let what = format!("the record of {}", found.coordinates());
            return Err(self.nonsense(&action, &what, ""));
        }
        Ok(record)
    }

    /// The files of a version.
    ///
    /// # Errors
    /// As [`Warehouse::model`].
    pub async fn model_files(
        &self,
        user: &UserId,
        model: &ModelId,
        version: &Version,
        deadline: Deadline,
    ) -> Result<Received<Vec<ModelFile>>, WarehouseError> {
        let action = format!("list the files of {user}/{model}@{version}");
        let path = self.model_path(
            &[user.as_str(), model.as_str(), "files"],
            &[("version", version.as_str())],
        );
        let reply = self.fetch(path, &action, deadline).await?;
        self.read(reply, &action).await
    }

    /// Starts a download: one file's bytes, or without a name a zip archive of all files.
    ///
    /// # Errors
    /// As [`Warehouse::model`].
    pub async fn download_model(
        &self,
        user: &UserId,
        model: &ModelId,
        version: &Version,
        filename: Option<&str>,
        deadline: Deadline,
    ) -> Result<Download, WarehouseError> {
        let action = format!("download {user}/{model}@{version}");
        let mut query = vec![("version", version.as_str())];
        query.extend(filename.map(|name| ("filename", name)));
        let path = self.model_path(&[user.as_str(), model.as_str(), "download"], &query);
        let reply = self.fetch(path, &action, deadline).await?;
        if !reply.status.is_success() {
            self.succeed(reply, &action).await?;
            return Err(self.nonsense(&action, "neither a file nor a refusal", ""));
        }
        let length = reply
            .headers
            .get(hyper::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let paced = self.pace.clone().map(Paced::new);
        Ok(Download { reply, length, paced })
    }

    /// Changes fields of a version; the reply is the record as it stands then.
    ///
    /// # Errors
    /// As [`Warehouse::model`].
    pub async fn update_model(
        &self,
        user: &UserId,
        model: &ModelId,
        version: &Version,
        changes: &Map<String, Value>,
        deadline: Deadline,
    ) -> Result<Received<Model>, WarehouseError> {
        let action = format!("update {user}/{model}@{version}");
        let path =
            self.model_path(&[user.as_str(), model.as_str()], &[("version", version.as_str())]);
        let body =
            serde_json::to_vec(changes).map_err(|error| WarehouseError::Client(error.into()))?;
        let call = Call::with_json(Method::PUT, path, body.into());
        let reply = self.transport.call(call, &action, None, deadline).await?;
        self.read(reply, &action).await
    }

    /// Deletes a version with its files.
    ///
    /// # Errors
    /// As [`Warehouse::model`].
    pub async fn delete_model(
        &self,
        user: &UserId,
        model: &ModelId,
        version: &Version,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        let action = format!("delete {user}/{model}@{version}");
        let path =
            self.model_path(&[user.as_str(), model.as_str()], &[("version", version.as_str())]);
        self.delete_at(path, &action, deadline).await
    }

    /// Deletes what has these segments as its path.
    pub(super) async fn delete(
        &self,
        segments: &[&str],
        action: &str,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        self.delete_at(self.address().path(segments), action, deadline).await
    }

    async fn delete_at(
        &self,
        path: String,
        action: &str,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        let call = Call { method: Method::DELETE, repeatable: false, ..Call::get(path) };
        let reply = self.transport.call(call, action, None, deadline).await?;
        // A page of a proxy, or of another service, is no sign that anything was deleted.
        self.read::<Done>(reply, action).await.map(drop)
    }
}

/// What every generation answers to a deletion; the words differ.
#[derive(serde::Deserialize)]
struct Done {
    #[serde(rename = "message")]
    _message: String,
}

fn with_query(path: String, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path;
    }
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{text}")
}
