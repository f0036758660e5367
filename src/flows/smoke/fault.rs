//! The faults of services that a smoke test knows by name: what each does to its users, and what to do
//! about it.

/// A fault that a step met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Folder uploads are answered 200 and no event follows (contract B1).
    FolderUnannounced,
    /// The data is stored and the request is never answered (contract B2: no broker at the start).
    HangsAfterStoring,
    /// The data is stored and no answer came in the time that was left: one of the two below.
    NoReply,
    /// An answer after half a minute and no event (contract B2: the broker was lost later).
    EventLostSlowly,
    /// A 5xx for a model that is stored all the same (contract B7).
    StoredBehindError,
    /// Files of one name in several folders overwrite each other (contract B16).
    FilesOverwritten,
    /// A 200, and afterwards there is no such model.
    ModelLost,
    /// A 200 and a record, and the files are not there, or are others.
    FilesLost,
    /// A 200, and no event.
    EventLost,
    /// Nobody turns the upload's event into a trigger.
    NotForwarded,
}

impl Fault {
    pub const ALL: [Fault; 10] = [
        Fault::FolderUnannounced,
        Fault::HangsAfterStoring,
        Fault::NoReply,
        Fault::EventLostSlowly,
        Fault::StoredBehindError,
        Fault::FilesOverwritten,
        Fault::ModelLost,
        Fault::FilesLost,
        Fault::EventLost,
        Fault::NotForwarded,
    ];

    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FolderUnannounced => "folder-unannounced",
            Self::HangsAfterStoring => "hangs-after-storing",
            Self::NoReply => "no-reply",
            Self::EventLostSlowly => "event-lost-slowly",
            Self::StoredBehindError => "stored-behind-error",
            Self::FilesOverwritten => "files-overwritten",
            Self::ModelLost => "model-lost",
            Self::FilesLost => "files-lost",
            Self::EventLost => "event-lost",
            Self::NotForwarded => "not-forwarded",
        }
    }

    /// What the service does.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::FolderUnannounced => "the service announces files and no folders",
            Self::HangsAfterStoring => "the service stored the model and never answered",
            Self::NoReply => {
                "the service stored the model and sent no reply in time: its broker is away, since later (then it replies after 40 s) or since before the API started (then never)"
            }
            Self::EventLostSlowly => {
                "the service waited long for its broker, answered 200 and lost the event"
            }
            Self::StoredBehindError => "the service stored the model and answered with an error",
            Self::FilesOverwritten => {
                "the service stored files of one name over each other and lists them all"
            }
            Self::ModelLost => "the service answered 200 and has no such model",
            Self::FilesLost => "the service has the model's record and not its files",
            Self::EventLost => "the service answered 200 and sent no event",
            Self::NotForwarded => "the event is there and nobody asks for the explanation",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::FolderUnannounced => {
                "send the event yourself after a folder upload: dwctl send automl; dwctl serve announces folders"
            }
            Self::HangsAfterStoring => {
                "its broker was away when the API started: restart the API with the broker up"
            }
            Self::NoReply => {
                "start the brokers, then the API if it was started without them; dwctl smoke --timeout 80s tells the two apart"
            }
            Self::EventLostSlowly => {
                "it recovers with its broker; send what is lost again with dwctl send automl"
            }
            Self::StoredBehindError => {
                "see dwctl models list: a record that the API cannot show, such as one with an accuracy of NaN, breaks the user's whole list until it is deleted"
            }
            Self::FilesOverwritten => {
                "keep the folders (--preserve-structure true), or give every file a name of its own"
            }
            Self::ModelLost | Self::FilesLost => {
                "look at the service's database and object store: do both outlive a restart, and do all replicas share them?"
            }
            Self::EventLost => {
                "an API whose broker was away when it started announces nothing until it is restarted; compare the API's KAFKA_BOOTSTRAP_SERVERS and KAFKA_…_TOPIC with dwctl config show"
            }
            Self::NotForwarded => "start dwctl forward, and see how far it is with dwctl lag GROUP",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Fault::ALL.len());
    }
}
