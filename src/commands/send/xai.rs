//! `dwctl send xai`: explain a model, as the seed text asks for it on the topic of completions; in
//! later generations that a report is stored.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::{OutcomeArgs, completion};
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{Event, ModelUploaded, XaiOutput, XaiReported, XaiTrigger};
use crate::schema::ids::{DatasetId, ModelId};
use crate::schema::role::{Dialect, Role};

const NEEDED: &[&str] = &["model_id", "dataset_id", "user_id"];

#[derive(Debug, Args)]
pub(super) struct XaiArgs {
    /// Id of the model
    #[arg(long)]
    model_id: Option<String>,
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset, in an envelope
    #[arg(long)]
    dataset_version: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// Version of the model; v1 where it is not given
    #[arg(long, alias = "model-version")]
    version: Option<String>,
    /// pytorch, tensorflow, sklearn, onnx, keras, huggingface or other
    #[arg(long)]
    framework: Option<String>,
    #[arg(long, help = "classification, regression, nlp, computer_vision, …")]
    model_type: Option<String>,
    /// Type of the event that caused this one; model.uploaded where it is not given
    #[arg(long)]
    source_event: Option<String>,
    /// Kind of the report, of xai.reported
    #[arg(long)]
    report_type: Option<String>,
    /// beginner or expert, of xai.reported
    #[arg(long, value_name = "WORD", value_parser = ["beginner", "expert"])]
    level: Option<String>,
    /// Id of the stored report
    #[arg(long)]
    xai_report_id: Option<String>,
    #[command(flatten)]
    outcome: OutcomeArgs,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl XaiArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("model_id", text(self.model_id.as_ref())),
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("version", text(self.version.as_ref())),
            ("framework", text(self.framework.as_ref())),
            ("model_type", text(self.model_type.as_ref())),
            ("source_event", text(self.source_event.as_ref())),
            ("report_type", text(self.report_type.as_ref())),
            ("level", text(self.level.as_ref())),
            ("xai_report_id", text(self.xai_report_id.as_ref())),
        ])
    }
}

pub(super) fn event(context: &Context, args: &XaiArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let dialect = args.delivery.choose_dialect(
        context,
        &mut fields,
        Role::Xai,
        NEEDED,
        args.outcome.is_given(),
    )?;
    if dialect.dialect == Dialect::Task {
        return completion(context, dialect, &args.outcome, fields, NEEDED, output);
    }
    fields.complete(context, NEEDED)?;
    if dialect.dialect == Dialect::Form {
        return draft(context, &asking(context, &fields)?, &fields, dialect, Part::Whole);
    }
    draft(context, &reported(context, &fields)?, &fields, dialect, Part::Whole)
}

/// The seed's trigger.
pub(super) fn asking(context: &Context, fields: &Fields) -> Result<XaiTrigger, Failure> {
    let now = context.clock.now();
    let model_id = fields.id::<ModelId>("model_id")?;
    let source = fields.text("source_event")?;
    Ok(XaiTrigger {
        event_type: XaiTrigger::EVENT_TYPE.to_owned(),
        event_id: format!("xai_trigger_{model_id}_{}", now.seconds()),
        timestamp: now.naive(),
        user_id: fields.user()?,
        model_id,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        version: Some(fields.text("version")?.unwrap_or_else(|| "v1".to_owned())),
        framework: fields.framework()?,
        model_type: fields.model_type()?,
        source_event: source.or_else(|| Some(ModelUploaded::EVENT_TYPE.to_owned())),
    })
}

fn reported(context: &Context, fields: &Fields) -> Result<XaiReported, Failure> {
    let now = context.clock.now();
    let model_id = fields.id::<ModelId>("model_id")?;
    Ok(XaiReported {
        event_type: XaiReported::EVENT_TYPE.to_owned(),
        event_id: format!("xai_reported_{model_id}_{}", now.seconds()),
        timestamp: now.naive(),
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        model_id,
        report_type: fields.text("report_type")?,
        level: fields.text("level")?,
        xai_report_id: fields.text("xai_report_id")?,
    })
}

fn output(fields: &Fields) -> Result<XaiOutput, Failure> {
    Ok(XaiOutput {
        xai_report_id: fields.text("xai_report_id")?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        user_id: fields.user()?,
        model_id: fields.id::<ModelId>("model_id")?,
        model_version: Some(fields.model_version()?),
    })
}
