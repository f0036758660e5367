//! Where `serve` answers otherwise, and why: faults of the service by their number in its contract,
//! and what its plans name and it does not have.

use super::compare::Later;

/// Exchanges that are answered otherwise.
#[derive(Clone, Copy)]
pub struct Fault {
    pub exchanges: &'static [&'static str],
    /// Its number, or the reason why there is none.
    pub number: &'static str,
    pub status: u16,
    /// What the reply must show instead: headers, or places in its body, and their JSON. Where there are none, the reply
    /// itself is the recorded one.
    pub shows: &'static [(&'static str, &'static str)],
    pub events: Events,
}

/// The events of such an exchange.
#[derive(Clone, Copy)]
pub enum Events {
    AsRecorded,
    /// Topic, key and type of each.
    Instead(&'static [(&'static str, &'static str, &'static str)]),
}

/// A folder's files are told apart only by their relative paths; the service finds none by them.
const RELATIVE_PATH: Fault = Fault {
    exchanges: &["model_download_folder_relpath"],
    number: "B16: of files with the same name only one can be had",
    status: 200,
    shows: &[("/a", "1")],
    events: Events::AsRecorded,
};

const NAME_THAT_NO_HEADER_HOLDS: Fault = Fault {
    exchanges: &["model_download_utf8_filename"],
    number: "B17: the download of a Greek name fails",
    status: 200,
    shows: &[("", r#""abc""#)],
    events: Events::AsRecorded,
};

/// Not stored, so nothing is poisoned, and nothing announced.
const NAN: [Fault; 3] = [
    Fault {
        exchanges: &["model_upload_single_nan"],
        number: "B7: a NaN is stored and announced, and answered with 500",
        status: 422,
        shows: &[("/detail/0/type", r#""finite_number""#)],
        events: Events::Instead(&[]),
    },
    Fault {
        exchanges: &["model_show_nan", "model_delete_nan"],
        number: "B7: the model with the NaN cannot be shown, only deleted",
        status: 404,
        shows: &[("/detail", r#""Model not found""#)],
        events: Events::AsRecorded,
    },
    Fault {
        exchanges: &["model_list_nan"],
        number: "B7: nor can any model of its user",
        status: 200,
        shows: &[("", "[]")],
        events: Events::AsRecorded,
    },
];

/// The pages that it names do not exist here.
const SERVICE_INFO: Fault = Fault {
    exchanges: &["service_info"],
    number: "not served: /docs and /redoc",
    status: 200,
    shows: &[("", r#"{"message":"Welcome to Data Warehouse API","version":"1.0.0"}"#)],
    events: Events::AsRecorded,
};

/// What the `flat` service had a week after it was recorded (contract, G1b).
pub const LATER_FLAT: &[Later] = &[
    ("files", &["null"]),
    ("is_folder", &["false"]),
    ("file_count", &["1"]),
    ("is_model_folder", &["false", "true"]),
    ("model_file_count", &["1", "2", "3", "4"]),
];

pub const TASK: &[Fault] = &[
    SERVICE_INFO,
    RELATIVE_PATH,
    NAME_THAT_NO_HEADER_HOLDS,
    NAN[0],
    NAN[1],
    NAN[2],
    Fault {
        exchanges: &["model_upload_folder_task"],
        number: "B1: a folder is announced to nobody, whatever task it is of",
        status: 200,
        shows: &[],
        events: Events::Instead(&[("automl-complete-events", "task-0006", "automl-complete")]),
    },
    Fault {
        exchanges: &["model_upload_folder_bad_zip_task"],
        number: "B5: nor is the failure of one, and its task waits for ever",
        status: 400,
        shows: &[],
        events: Events::Instead(&[("automl-complete-events", "task-0007", "automl-complete")]),
    },
    Fault {
        exchanges: &["model_list_filter_type_regression"],
        number: "B14: a type that is stored under another word is never found by its own",
        status: 200,
        shows: &[("/0/model_id", r#""reg-model""#), ("/0/model_type", r#""tabular_regression""#)],
        events: Events::AsRecorded,
    },
    Fault {
        exchanges: &["bias_create_other_version"],
        number: "B3: the report for a dataset's second version fails",
        status: 200,
        shows: &[("/dataset_version", r#""v1""#)],
        events: Events::Instead(&[(
            "bias-detection-complete-events",
            "task-0013",
            "bias-detection-complete",
        )]),
    },
    Fault {
        exchanges: &["bias_get"],
        number: "B3: so the newest report is another",
        status: 200,
        shows: &[("/dataset_version", r#""v1""#)],
        events: Events::AsRecorded,
    },
    Fault {
        exchanges: &["bias_get_all"],
        number: "B3: and there are two of them",
        status: 200,
        shows: &[("/0/dataset_version", r#""v1""#), ("/1/dataset_version", r#""v2""#)],
        events: Events::AsRecorded,
    },
    Fault {
        exchanges: &["dataset_upload_csv_large"],
        number: "not served: large tables are split into train, test and drift at random",
        status: 200,
        shows: &[("/version", r#""v1""#), ("/row_count", "100"), ("/is_folder", "false")],
        events: Events::Instead(&[("dataset-events", "big100", "dataset.uploaded")]),
    },
    Fault {
        exchanges: &["dataset_download_large"],
        number: "not served: the split, so the table comes as it was sent",
        status: 200,
        shows: &[("content-disposition", r#""attachment; filename=big.csv""#)],
        events: Events::AsRecorded,
    },
];

pub const FLAT: &[Fault] = &[
    SERVICE_INFO,
    RELATIVE_PATH,
    NAME_THAT_NO_HEADER_HOLDS,
    NAN[0],
    NAN[1],
    NAN[2],
    Fault {
        exchanges: &["dataset_upload_minimal"],
        number: "G1b: id and name of a dataset are optional",
        status: 200,
        shows: &[("/name", r#""user_uploaded_dataset_1""#), ("/version", r#""v1""#)],
        events: Events::Instead(&[("dataset-events", "<uuid>", "dataset.uploaded")]),
    },
    Fault {
        exchanges: &["dataset_files"],
        number: "G1b: the files of a dataset are listed",
        status: 200,
        shows: &[("/0/file_type", r#""csv""#)],
        events: Events::AsRecorded,
    },
    Fault {
        exchanges: &["dataset_delete_version"],
        number: "G1b: the files of a version are counted",
        status: 200,
        shows: &[(
            "",
            r#"{"message":"Dataset deleted successfully","files_deleted":1,"metadata_deleted":true}"#,
        )],
        events: Events::AsRecorded,
    },
];
