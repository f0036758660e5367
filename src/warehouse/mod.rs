//! Client of the warehouse's HTTP API: one file per resource, the dialects, multipart bodies, the
//! transport and its errors. The only room for `reqwest` and `hyper`.

mod address;
mod client;
mod curl;
mod datasets;
mod dialect;
mod error;
mod health;
mod meter;
mod models;
mod multipart;
mod pace;
mod record;
mod refusal;
mod reports;
mod transport;
mod upload;

pub use address::ApiAddress;
pub use client::{Options, Received, Route, Warehouse};
pub use curl::CurlFile;
pub use datasets::SmallDataset;
pub use dialect::DialectCache;
pub use error::WarehouseError;
pub use health::{Health, Outbox, Services};
pub use meter::{Meter, Phase};
pub use models::{Download, ModelQuery};
pub use multipart::check_filename;
pub use record::FileSink;
pub use refusal::{FieldProblem, flag_of};
pub use transport::{RequestListener, TlsFault};
pub use upload::{Shape, UploadError, UploadRequest, UploadedModel, check_field};
