//! `dwctl send xai-trigger`: explain a model, in the form of any generation.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::trigger;
use super::fields::{Fields, text};
use super::xai::asking;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{Event, XaiInput, XaiTriggerRequest};
use crate::schema::ids::{DatasetId, ModelId};
use crate::schema::role::{Dialect, Role};

const NEEDED: &[&str] = &["model_id", "dataset_id", "user_id"];
/// The API refuses a report without the dataset's version.
const NEEDED_IN_ENVELOPE: &[&str] = &["model_id", "dataset_id", "user_id", "dataset_version"];

#[derive(Debug, Args)]
pub(super) struct XaiTriggerArgs {
    /// Id of the model
    #[arg(long)]
    model_id: Option<String>,
    /// Version of the model; v1 where it is not given
    #[arg(long, alias = "model-version")]
    version: Option<String>,
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset, in an envelope
    #[arg(long)]
    dataset_version: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// beginner or expert; beginner where it is not given
    #[arg(long, value_name = "WORD", value_parser = ["beginner", "expert"])]
    level: Option<String>,
    /// Method or kind of report, in an envelope; lime where it is not given
    #[arg(long)]
    report_type: Option<String>,
    /// pytorch, tensorflow, sklearn, onnx, keras, huggingface or other
    #[arg(long)]
    framework: Option<String>,
    #[arg(long, help = "classification, regression, nlp, computer_vision, …")]
    model_type: Option<String>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl XaiTriggerArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("model_id", text(self.model_id.as_ref())),
            ("version", text(self.version.as_ref())),
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("level", text(self.level.as_ref())),
            ("report_type", text(self.report_type.as_ref())),
            ("framework", text(self.framework.as_ref())),
            ("model_type", text(self.model_type.as_ref())),
        ])
    }
}

pub(super) fn event(context: &Context, args: &XaiTriggerArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let dialect =
        args.delivery.choose_dialect(context, &mut fields, Role::XaiTrigger, NEEDED, false)?;
    if dialect.dialect == Dialect::Task {
        return trigger(context, dialect, fields, NEEDED_IN_ENVELOPE, input);
    }
    fields.complete(context, NEEDED)?;
    if dialect.dialect == Dialect::Form {
        return draft(context, &asking(context, &fields)?, &fields, dialect, Part::Whole);
    }
    let event = XaiTriggerRequest {
        event_type: XaiTriggerRequest::EVENT_TYPE.to_owned(),
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        model_id: fields.id::<ModelId>("model_id")?,
        version: Some(fields.text("version")?.unwrap_or_else(|| "v1".to_owned())),
        level: level(&fields)?,
        timestamp: context.clock.now().naive(),
    };
    draft(context, &event, &fields, dialect, Part::Whole)
}

fn level(fields: &Fields) -> Result<Option<String>, Failure> {
    Ok(fields.text("level")?.or_else(|| Some("beginner".to_owned())))
}

fn input(fields: &Fields) -> Result<XaiInput, Failure> {
    Ok(XaiInput {
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        model_id: fields.id::<ModelId>("model_id")?,
        model_version: Some(fields.model_version()?),
        level: level(fields)?,
        report_type: fields.text("report_type")?.or_else(|| Some("lime".to_owned())),
    })
}
