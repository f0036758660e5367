//! Pickles: those of Python itself, of joblib, and PyTorch's form before 1.6. The framework is that
//! of the first class from a library of models.

use super::opcodes::{End, PickleWalk};
use super::{Confidence, Fault, Format, Found, Recognition, Sample, huggingface};
use crate::schema::model::{Framework, ModelType};

/// The number that a file of PyTorch before 1.6 begins with, as a pickle of its own.
pub(in crate::archive) const TORCH_LEGACY: &[u8] =
    b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
/// How compressed files of joblib begin: zlib, gzip, bzip2, xz, lz4.
const COMPRESSED: [(&[u8], &str); 8] = [
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
];

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    if sample.head.starts_with(TORCH_LEGACY) {
        let evidence = "the number that PyTorch before 1.6 begins with";
        return Some(
            Recognition::new(Format::PytorchLegacy, Confidence::High, evidence).framework(
                Framework::Pytorch,
                Confidence::High,
                evidence,
            ),
        );
    }
    binary(sample).or_else(|| by_text(sample)).or_else(|| compressed(sample))
}

/// Protocols 2 to 5, which begin with a mark.
fn binary(sample: &Sample) -> Option<Recognition> {
    let protocol = match sample.head.as_slice() {
        [0x80, protocol @ 2..=5, _, ..] => *protocol,
        _ => return None,
    };
    let globals = Globals::read(&sample.head);
    let has_stop = sample.ends_with(b'.').unwrap_or(true);
    if globals.end == End::Unknown && globals.names.is_empty() && !has_stop {
        return None;
    }
    let mut recognition = by_globals(sample, &globals, &format!("protocol {protocol}"));
    // A pickle ends with a stop; only PyTorch's old form puts tensors behind it.
    if !has_stop && globals.end != End::Stop {
        let fault = "it does not end as a pickle does".to_owned();
        recognition = recognition.fault(Some(Fault::Truncated(fault)));
    }
    Some(recognition)
}

/// Protocols 0 and 1 have no mark: opcodes to a stop at the very end, and the name of one.
fn by_text(sample: &Sample) -> Option<Recognition> {
    let is_named = ["pkl", "pickle", "joblib", "sav"].contains(&sample.extension().as_str());
    if !is_named || sample.head.len() < 2 {
        return None;
    }
    let globals = Globals::read(&sample.head);
    let recognition = by_globals(sample, &globals, "protocol 0 or 1");
    let has_stop = sample.ends_with(b'.').unwrap_or(true);
    match globals.end {
        End::Unknown => None,
        End::Bytes if !has_stop => globals.is_begun.then(|| {
            let fault = "it does not end as a pickle does".to_owned();
            recognition.fault(Some(Fault::Truncated(fault)))
        }),
        _ => Some(recognition),
    }
}

fn compressed(sample: &Sample) -> Option<Recognition> {
    let extension = sample.extension();
    let base = sample.name.rsplit_once('.').map_or("", |(base, _)| base);
    let is_joblib = extension == "joblib" || super::sample::extension(base) == "joblib";
    if !is_joblib && !["pkl", "pickle"].contains(&extension.as_str()) {
        return None;
    }
    let (_, what) = COMPRESSED.iter().find(|(mark, _)| sample.head.starts_with(mark))?;
    let evidence = format!("compressed with {what}, and its name");
    let recognition = Recognition::new(Format::Joblib, Confidence::Medium, evidence.clone());
    Some(if is_joblib {
        recognition.framework(Framework::Sklearn, Confidence::Low, evidence)
    } else {
        recognition
    })
}

fn by_globals(sample: &Sample, globals: &Globals, protocol: &str) -> Recognition {
    let is_joblib = sample.extension() == "joblib"
        || globals.names.iter().any(|(module, _)| module.starts_with("joblib."));
    let (format, what) =
        if is_joblib { (Format::Joblib, "joblib's pickle") } else { (Format::Pickle, "a pickle") };
    let recognition = Recognition::new(format, Confidence::High, format!("{what} of {protocol}"));
    let recognition = recognition.model_type(globals.model_type());
    match globals.framework() {
        Some(found) => Recognition { framework: Some(found), ..recognition },
        None => recognition,
    }
}

/// What a pickle imports, as far as it is here.
pub(super) struct Globals {
    names: Vec<(String, String)>,
    end: End,
    /// Whether it has what every pickler writes: an import, or a value in the memo.
    is_begun: bool,
}

impl Globals {
    pub fn read(content: &[u8]) -> Self {
        let walk = PickleWalk::read(content);
        let is_begun = walk.memoises || (!walk.imports.is_empty() && walk.has_plausible_imports());
        let names = walk.imports.into_iter().map(|import| (import.module, import.name)).collect();
        Self { names, end: walk.end, is_begun }
    }

    fn framework(&self) -> Option<Found<Framework>> {
        self.names.iter().find_map(|(module, name)| {
            let framework = framework_of(module.split('.').next().unwrap_or_default())?;
            let evidence = format!("a pickle of {module}.{name}");
            Some(Found::new(framework, Confidence::High, evidence))
        })
    }

    /// What the outermost model does, by the name of its class.
    pub fn model_type(&self) -> Option<Found<ModelType>> {
        let (module, name) = self.names.iter().find(|(module, _)| {
            framework_of(module.split('.').next().unwrap_or_default()).is_some()
        })?;
        if module.starts_with("transformers.") {
            return huggingface::type_of_class(name, "");
        }
        let models = ["sklearn", "xgboost", "lightgbm", "catboost"];
        if !models.iter().any(|library| module.split('.').next() == Some(library)) {
            return None;
        }
        if let Some(kind) = type_of_estimator(module, name) {
            let evidence = format!("a pickle of {module}.{name}");
            return Some(Found::new(kind, Confidence::High, evidence));
        }
        self.inner_type(name)
    }

    /// A pipeline or a search does what the one estimator in it does.
    fn inner_type(&self, outer: &str) -> Option<Found<ModelType>> {
        if !["Pipeline", "GridSearchCV", "RandomizedSearchCV"].contains(&outer) {
            return None;
        }
        let mut kinds = self.names.iter().filter_map(|(module, name)| {
            Some((type_of_estimator(module, name)?, format!("{module}.{name}")))
        });
        let (kind, inner) = kinds.next()?;
        let evidence = format!("a pickle of a {outer} with {inner}");
        kinds
            .all(|(other, _)| other == kind)
            .then(|| Found::new(kind, Confidence::Medium, evidence))
    }
}

fn framework_of(library: &str) -> Option<Framework> {
    Some(match library {
        "sklearn" => Framework::Sklearn,
        "torch" | "torchvision" | "pytorch_lightning" | "timm" => Framework::Pytorch,
        "tensorflow" => Framework::Tensorflow,
        "keras" => Framework::Keras,
        "transformers" | "sentence_transformers" | "diffusers" | "peft" => Framework::Huggingface,
        "xgboost" | "lightgbm" | "catboost" | "statsmodels" | "prophet" | "spacy" => {
            Framework::Other
        }
        _ => return None,
    })
}

fn type_of_estimator(module: &str, class: &str) -> Option<ModelType> {
    if module.starts_with("sklearn.cluster") {
        return Some(ModelType::Clustering);
    }
    let classifiers = [
        "LogisticRegression",
        "SVC",
        "LinearSVC",
        "NuSVC",
        "GaussianNB",
        "MultinomialNB",
        "BernoulliNB",
        "ComplementNB",
        "LinearDiscriminantAnalysis",
        "QuadraticDiscriminantAnalysis",
        "Perceptron",
    ];
    let regressors = [
        "LinearRegression",
        "Ridge",
        "Lasso",
        "ElasticNet",
        "SVR",
        "LinearSVR",
        "NuSVR",
        "KernelRidge",
        "BayesianRidge",
        "HuberRegressor",
    ];
    if class.ends_with("Classifier")
        || class.ends_with("ClassifierCV")
        || classifiers.contains(&class)
    {
        return Some(ModelType::Classification);
    }
    (class.ends_with("Regressor") || regressors.contains(&class)).then_some(ModelType::Regression)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pickle of protocol 4 that imports these, one after the other.
    fn pickle(imports: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = b"\x80\x04".to_vec();
        for (module, name) in imports {
            for text in [module, name] {
                bytes.extend([0x8c, u8::try_from(text.len()).unwrap()]);
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(0x94);
            }
            bytes.extend(b"\x93\x94");
        }
        bytes.push(b'.');
        bytes
    }

    fn found(name: &str, imports: &[(&str, &str)]) -> Recognition {
        recognise(&Sample::new(name, &pickle(imports))).unwrap()
    }

    #[test]
    fn the_first_class_of_a_library_names_framework_and_kind() {
        for (module, class, framework, kind) in [
            (
                "sklearn.ensemble._forest",
                "RandomForestClassifier",
                Framework::Sklearn,
                Some(ModelType::Classification),
            ),
            (
                "sklearn.linear_model._base",
                "LinearRegression",
                Framework::Sklearn,
                Some(ModelType::Regression),
            ),
            ("sklearn.cluster._kmeans", "KMeans", Framework::Sklearn, Some(ModelType::Clustering)),
            ("sklearn.preprocessing._data", "StandardScaler", Framework::Sklearn, None),
            ("xgboost.sklearn", "XGBRegressor", Framework::Other, Some(ModelType::Regression)),
            ("torch._utils", "_rebuild_tensor_v2", Framework::Pytorch, None),
        ] {
            let found = found("m", &[("builtins", "dict"), (module, class)]);
            let of = found.framework.unwrap();
            assert_eq!((of.value, of.confidence), (framework, Confidence::High));
            assert_eq!(of.evidence, format!("a pickle of {module}.{class}"));
            assert_eq!(found.model_type.map(|found| found.value), kind, "{class}");
            assert_eq!(found.fault, None);
        }
    }

    #[test]
    fn a_pipeline_does_what_the_estimator_in_it_does() {
        let pipeline = ("sklearn.pipeline", "Pipeline");
        let scaler = ("sklearn.preprocessing._data", "StandardScaler");
        let svc = ("sklearn.svm._classes", "SVC");
        let ridge = ("sklearn.linear_model._ridge", "Ridge");
        let kind = found("m", &[pipeline, scaler, svc]).model_type.unwrap();
        assert_eq!((kind.value, kind.confidence), (ModelType::Classification, Confidence::Medium));
        assert_eq!(found("m", &[pipeline, svc, ridge]).model_type, None);
    }

    #[test]
    fn joblib_and_unknown_pickles_are_told_apart() {
        let joblib = found("m", &[("joblib.numpy_pickle", "NumpyArrayWrapper")]);
        assert_eq!((joblib.format.value, joblib.framework), (Format::Joblib, None));
        let plain = found("m", &[("my.module", "Model")]);
        assert_eq!((plain.format.value, plain.framework), (Format::Pickle, None));
    }

    #[test]
    fn the_old_form_of_pytorch_needs_no_stop_at_its_end() {
        let bytes = [TORCH_LEGACY, b"\x80\x02M\xe9\x03.tensors"].concat();
        let found = recognise(&Sample::new("m", &bytes)).unwrap();
        assert_eq!(found.format.value, Format::PytorchLegacy);
        assert_eq!(found.fault, None);
    }

    #[test]
    fn a_pickle_without_its_stop_is_truncated() {
        let whole = pickle(&[("sklearn.svm._classes", "SVC")]);
        let found = recognise(&Sample::new("m.pkl", &whole[..whole.len() - 1])).unwrap();
        assert!(matches!(found.fault, Some(Fault::Truncated(_))), "{found:?}");
    }

    #[test]
    fn protocol_0_needs_a_name_and_opcodes_to_the_end() {
        let bytes = b"(dp0\nVa\np1\nI1\ns.";
        assert!(recognise(&Sample::new("m.pkl", bytes)).is_some());
        assert_eq!(recognise(&Sample::new("m.txt", bytes)), None);
        assert_eq!(recognise(&Sample::new("m.pkl", b"Hello there.")), None);
        let cut = recognise(&Sample::new("m.pkl", &bytes[..bytes.len() - 1])).unwrap();
        assert!(matches!(cut.fault, Some(Fault::Truncated(_))), "{cut:?}");
    }

    #[test]
    fn a_compressed_joblib_is_a_guess_at_scikit_learn() {
        for name in ["m.joblib", "m.joblib.gz"] {
            let found = recognise(&Sample::new(name, b"\x1f\x8b\x08\0")).unwrap();
            assert!(!found.framework.unwrap().is_sure());
        }
        assert_eq!(recognise(&Sample::new("m.tar.gz", b"\x1f\x8b\x08\0")), None);
    }
}
