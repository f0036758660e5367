//! `dwctl send automl`: a model is stored.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::{OutcomeArgs, completion};
use super::fields::{Fields, text};
use super::finite;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{AutomlOutput, Event, ModelUploaded};
use crate::schema::ids::ModelId;
use crate::schema::role::{Dialect, Role};

const NEEDED: &[&str] = &["model_id", "user_id"];

#[derive(Debug, Args)]
pub(super) struct AutomlArgs {
    /// Id of the model
    #[arg(long)]
    model_id: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// Dataset that the model was trained on; without it no XAI trigger can follow
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset, in an envelope
    #[arg(long)]
    dataset_version: Option<String>,
    /// Version of the model; v1 where it is not given
    #[arg(long, alias = "model-version")]
    version: Option<String>,
    /// pytorch, tensorflow, sklearn, onnx, keras, huggingface or other
    #[arg(long)]
    framework: Option<String>,
    #[arg(long, help = "classification, regression, nlp, computer_vision, …")]
    model_type: Option<String>,
    /// How it was trained, such as random forest
    #[arg(long)]
    algorithm: Option<String>,
    /// Size of the model's files in mebibytes
    #[arg(long, value_parser = finite)]
    model_size_mb: Option<f64>,
    /// Accuracy on the training data
    #[arg(long, value_parser = finite)]
    training_accuracy: Option<f64>,
    /// Accuracy on the validation data
    #[arg(long, value_parser = finite)]
    validation_accuracy: Option<f64>,
    /// Accuracy on the test data
    #[arg(long, value_parser = finite)]
    test_accuracy: Option<f64>,
    #[command(flatten)]
    outcome: OutcomeArgs,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl AutomlArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("model_id", text(self.model_id.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("version", text(self.version.as_ref())),
            ("framework", text(self.framework.as_ref())),
            ("model_type", text(self.model_type.as_ref())),
            ("algorithm", text(self.algorithm.as_ref())),
            ("model_size_mb", self.model_size_mb.map(Into::into)),
            ("training_accuracy", self.training_accuracy.map(Into::into)),
            ("validation_accuracy", self.validation_accuracy.map(Into::into)),
            ("test_accuracy", self.test_accuracy.map(Into::into)),
        ])
    }
}

pub(super) fn event(context: &Context, args: &AutomlArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let dialect = args.delivery.choose_dialect(
        context,
        &mut fields,
        Role::Automl,
        NEEDED,
        args.outcome.is_given(),
    )?;
    if dialect.dialect == Dialect::Task {
        return completion(context, dialect, &args.outcome, fields, NEEDED, output);
    }
    fields.complete(context, NEEDED)?;
    draft(context, &flat(context, &fields)?, &fields, dialect, Part::Whole)
}

fn output(fields: &Fields) -> Result<AutomlOutput, Failure> {
    Ok(AutomlOutput {
        model_id: fields.id::<ModelId>("model_id")?,
        model_version: fields.model_version()?,
        dataset_id: fields.text("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        user_id: fields.user()?,
    })
}

fn flat(context: &Context, fields: &Fields) -> Result<ModelUploaded, Failure> {
    let now = context.clock.now();
    let model_id = fields.id::<ModelId>("model_id")?;
    Ok(ModelUploaded {
        event_type: ModelUploaded::EVENT_TYPE.to_owned(),
        event_id: format!("model_uploaded_{model_id}_{}", now.seconds()),
        timestamp: now.naive(),
        user_id: fields.user()?,
        model_id,
        dataset_id: fields.text("dataset_id")?,
        version: Some(fields.text("version")?.unwrap_or_else(|| "v1".to_owned())),
        framework: fields.framework()?,
        model_type: fields.model_type()?,
        algorithm: fields.text("algorithm")?,
        model_size_mb: fields.number("model_size_mb")?,
        training_accuracy: fields.number("training_accuracy")?,
        validation_accuracy: fields.number("validation_accuracy")?,
        test_accuracy: fields.number("test_accuracy")?,
        is_folder: None,
        file_count: None,
        is_model_folder: None,
        model_file_count: None,
    })
}
