//! How a model is named on the command line, and which of its versions is meant.

use std::collections::BTreeSet;

use clap::Args;

use crate::base::nearest::nearest;
use crate::base::shell::quoted;
use crate::base::{Failure, Kind};
use crate::commands::metadata::resolve_user;
use crate::context::Context;
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::Model;
use crate::warehouse::{ModelQuery, Received, Warehouse, WarehouseError};

/// A model, as flags or as `upload` prints it.
#[derive(Debug, Args)]
pub(super) struct ReferenceArgs {
    /// Model: ID, USER/ID or USER/ID@VERSION, as upload prints it
    #[arg(value_name = "MODEL")]
    model: String,
    #[arg(
        long,
        value_name = "ID",
        help = "Owner of the model; also DWCTL_USER_ID, or user-id in a profile"
    )]
    user_id: Option<String>,
    /// Version; the latest where none is given
    #[arg(long)]
    version: Option<String>,
}

/// A model that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub user: UserId,
    pub model: ModelId,
    pub version: Option<Version>,
}

impl ReferenceArgs {
    pub fn resolve(&self, context: &Context) -> Result<Reference, Failure> {
        let (user, model, version) = split(&self.model);
        agree(&self.model, user, self.user_id.as_deref(), "--user-id")?;
        agree(&self.model, version, self.version.as_deref(), "--version")?;
        let version = self.version.as_deref().or(version);
        Ok(Reference {
            user: resolve_user(context, self.user_id.as_deref().or(user))?,
            model: ModelId::parse(model)?,
            version: version.map(Version::parse).transpose()?,
        })
    }
}

/// Refuses a flag that names another thing than the model's own text: whichever was meant, the other
/// would be shown, or deleted.
fn agree(text: &str, named: Option<&str>, flag: Option<&str>, name: &str) -> Result<(), Failure> {
    match (named, flag) {
        (Some(named), Some(flag)) if named != flag => {
            Err(Failure::usage(format!("{text:?} and {name} {flag} contradict each other")))
        }
        _ => Ok(()),
    }
}

/// `USER/MODEL@VERSION` taken apart. What follows the last `@` is a version only where it looks like
/// one: an id may hold an `@` too.
fn split(text: &str) -> (Option<&str>, &str, Option<&str>) {
    let (user, rest) = match text.split_once('/') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, text),
    };
    let is_version = |version: &str| {
        version
            .strip_prefix('v')
            .is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))
    };
    match rest.rsplit_once('@') {
        Some((model, version)) if !model.is_empty() && (user.is_some() || is_version(version)) => {
            (user, model, Some(version))
        }
        _ => (user, rest, None),
    }
}

impl Reference {
    /// `USER/MODEL@VERSION` of one version.
    pub fn coordinates(&self, version: &Version) -> String {
        format!("{}/{}@{version}", self.user, self.model)
    }

    /// The version that is meant: the one that is named, else the latest.
    pub async fn pin(&self, context: &Context, warehouse: &Warehouse) -> Result<Version, Failure> {
        match &self.version {
            Some(version) => Ok(version.clone()),
            None => Ok(Version::parse(&self.fetch(context, warehouse).await?.value.version)?),
        }
    }

    /// Every version that there is, oldest first.
    pub async fn versions(
        &self,
        context: &Context,
        warehouse: &Warehouse,
    ) -> Result<Vec<Version>, Failure> {
        let all = warehouse.models(&self.user, &ModelQuery::default(), context.deadline).await?;
        let names = all.iter().map(|model| model.value.model_id.clone()).collect();
        let mut own: Vec<Model> = all
            .into_iter()
            .map(|model| model.value)
            .filter(|model| model.model_id == self.model.as_str())
            .collect();
        if own.is_empty() {
            return Err(self.not_found(&names));
        }
        own.sort_by_key(order);
        own.iter().map(|model| Ok(Version::parse(&model.version)?)).collect()
    }

    /// The record of the version, or of the latest: the API's own default is `v1`, which is what
    /// nobody means.
    pub async fn fetch(
        &self,
        context: &Context,
        warehouse: &Warehouse,
    ) -> Result<Received<Model>, Failure> {
        if let Some(version) = &self.version {
            let found = warehouse.model(&self.user, &self.model, version, context.deadline);
            return self.explain_missing(context, warehouse, found.await).await;
        }
        let all = warehouse.models(&self.user, &ModelQuery::default(), context.deadline).await?;
        // Each id once, however many versions it has.
        let names: BTreeSet<String> =
            all.iter().map(|model| model.value.model_id.clone()).collect();
        all.into_iter()
            .filter(|model| model.value.model_id == self.model.as_str())
            .max_by_key(|model| order(&model.value))
            .ok_or_else(|| self.not_found(&names))
    }

    /// Passes the outcome on; of a version that does not exist it names those that do.
    ///
    /// # Errors
    /// That of the outcome, or what explains it.
    pub async fn explain_missing<T>(
        &self,
        context: &Context,
        warehouse: &Warehouse,
        outcome: Result<T, WarehouseError>,
    ) -> Result<T, Failure> {
        let failure = match outcome {
            Ok(found) => return Ok(found),
            Err(error) => Failure::from(error),
        };
        let Some(version) = self.version.as_ref().filter(|_| failure.kind() == Kind::NotFound)
        else {
            return Err(failure);
        };
        match self.versions(context, warehouse).await {
            Ok(versions) if !versions.contains(version) => {
                Err(self.version_not_found(version, &versions))
            }
            Err(other) if other.kind() == Kind::NotFound => Err(other),
            _ => Err(failure),
        }
    }

    fn version_not_found(&self, version: &Version, versions: &[Version]) -> Failure {
        /// Versions that one sentence names, the newest of all.
        const NAMED: usize = 10;
        let left_out = versions.len().saturating_sub(NAMED);
        let named: Vec<String> =
            versions[left_out..].iter().map(|version| quoted(&self.coordinates(version))).collect();
        let more = match left_out {
            0 => String::new(),
            more => format!(" and {more} older"),
        };
        Failure::new(
            Kind::NotFound,
            format!("{}/{} has no version {version}", self.user, self.model),
        )
        .hint(format!("versions that exist: {}{more}", named.join(", ")))
    }

    fn not_found(&self, names: &BTreeSet<String>) -> Failure {
        let failure = Failure::new(
            Kind::NotFound,
            format!("{} has no model {:?}", self.user, self.model.as_str()),
        );
        let near = nearest(self.model.as_str(), names.iter().map(String::as_str), 3);
        if near.is_empty() {
            let user = quoted(self.user.as_str());
            let command = format!("dwctl models list --user-id {user}");
            failure.hint_command("list the models of this user", &command)
        } else {
            let near: Vec<String> =
                near.iter().map(|name| quoted(&format!("{}/{name}", self.user))).collect();
            failure.hint(format!("did you mean {}?", near.join(" or ")))
        }
    }
}

/// Later versions are greater: by number where they have one, else by the time they were made.
fn order(model: &Model) -> (Option<u64>, String) {
    let number = Version::parse(&model.version).ok().and_then(|version| version.number());
    (number, model.created_at.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_may_repeat_what_is_named_and_not_contradict_it() {
        assert!(agree("u/m@v1", Some("v1"), Some("v1"), "--version").is_ok());
        assert!(agree("m", None, Some("v1"), "--version").is_ok());
        assert!(agree("m@v1", Some("v1"), None, "--version").is_ok());
        let refused = agree("m@v1", Some("v1"), Some("v2"), "--version").unwrap_err();
        assert!(refused.to_string().contains("\"m@v1\" and --version v2"), "{refused}");
    }

    #[test]
    fn what_upload_prints_is_taken_apart() {
        assert_eq!(split("u/m@v2"), (Some("u"), "m", Some("v2")));
        assert_eq!(split("m"), (None, "m", None));
        assert_eq!(split("u/m"), (Some("u"), "m", None));
        assert_eq!(split("m@v10"), (None, "m", Some("v10")));
        assert_eq!(split("me@home"), (None, "me@home", None));
        assert_eq!(split("u/m@2025-10"), (Some("u"), "m", Some("2025-10")));
    }
}
