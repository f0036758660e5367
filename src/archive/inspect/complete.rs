//! Which files a model needs and does not have, by the names in its folder and the texts that name
//! others: indexes and numbers of shards, manifests, checkpoints, weights beside a configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::finding::{Finding, FindingKind};
use super::scan::ExternalData;
use crate::archive::recognise::Config;

/// Missing names that a finding lists.
const SHOWN: usize = 3;
/// Endings of files that hold weights.
const WEIGHTS: [&str; 22] = [
    "safetensors",
    "bin",
    "h5",
    "hdf5",
    "msgpack",
    "onnx",
    "gguf",
    "ggml",
    "pt",
    "pth",
    "ckpt",
    "npz",
    "npy",
    "tflite",
    "pb",
    "keras",
    "pkl",
    "joblib",
    "xml",
    "mlmodel",
    "mar",
    "nemo",
];
/// Files that are whole sets of weights by themselves.
const SINGLE: [&str; 6] = [
    "model.safetensors",
    "pytorch_model.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.bin",
];
/// Keys of an `MLmodel` whose values are paths in its folder.
const MLMODEL_PATHS: [&str; 12] = [
    "data",
    "model_data",
    "model_path",
    "pickled_model",
    "python_model",
    "model_binary",
    "model_file",
    "saved_model_dir",
    "path",
    "model_class_path",
    "xgb_model",
    "lgb_model",
];

/// The files of a folder or archive, and the texts of small ones.
pub(super) struct Listing<'a> {
    /// Names and sizes, by name. Of a hundred thousand files a map takes three times the memory.
    files: Vec<(&'a str, u64)>,
    text: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

/// An entry that names others.
struct Index<'a> {
    name: &'a str,
    missing: Vec<String>,
}

impl<'a> Listing<'a> {
    pub fn new(
        files: impl IntoIterator<Item = (&'a str, u64)>,
        text: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Self {
        let mut files: Vec<(&str, u64)> = files.into_iter().collect();
        // Those of a folder come in order.
        files.sort_by_key(|(name, _)| *name);
        // Of entries with one name the last replaces the others.
        files.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                *kept = *later;
            }
            is_same
        });
        Self { files, text }
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(|(name, _)| *name)
    }

    fn size(&self, name: &str) -> Option<u64> {
        let at = self.files.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(self.files[at].1)
    }

    /// What is missing, as findings.
    pub fn find_missing(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let indexes = self.indexes(&mut findings);
        let shards = self.shards();
        findings.extend(indexes.iter().filter_map(|index| self.judge_index(index, &indexes)));
        let named: BTreeSet<&String> = indexes.iter().flat_map(|index| &index.missing).collect();
        findings.extend(shards.iter().filter_map(|set| self.judge_shards(set, &indexes, &named)));
        for name in self.names() {
            match base_of(name) {
                "MLmodel" => findings.extend(self.judge_mlmodel(name)),
                "config.json" | "adapter_config.json" => findings.extend(self.judge_config(name)),
                "checkpoint" => findings.extend(self.judge_checkpoint(name)),
                "saved_model.pb" => findings.extend(self.judge_saved_model(name)),
                _ => {}
            }
        }
        findings.extend(self.judge_tokenizer());
        findings
    }

    fn has(&self, name: &str) -> bool {
        self.size(name).is_some()
    }

    /// Whether a file or a folder of this name is there.
    fn has_path(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.has(path) || self.names_from(&folder).next().is_some()
    }

    /// Names that begin with a text.
    fn names_from(&self, start: &str) -> impl Iterator<Item = &'a str> {
        let first = self.files.partition_point(|(name, _)| *name < start);
        let names = self.files[first..].iter().map(|(name, _)| *name);
        names.take_while(move |name| name.starts_with(start))
    }

    /// Every index and manifest of shards. What cannot be read is a finding.
    fn indexes(&self, findings: &mut Vec<Finding>) -> Vec<Index<'a>> {
        let mut indexes = Vec::new();
        for name in self.names() {
            let is_index = name.ends_with(".index.json");
            if !is_index && base_of(name) != "model.json" {
                continue;
            }
            let Some(text) = (self.text)(name) else { continue };
            match serde_json::from_slice::<ShardNames>(&text) {
                Ok(names) => {
                    let missing =
                        names.files(folder_of(name)).filter(|file| !self.has(file)).collect();
                    indexes.push(Index { name, missing });
                }
                Err(error) if is_index => {
                    let text = format!("is damaged: it is an index that cannot be read: {error}");
                    findings.push(Finding::new(FindingKind::Malformed, name, &text));
                }
                Err(_) => {}
            }
        }
        indexes
    }

    /// An index may be left over beside weights that are complete.
    fn judge_index(&self, index: &Index<'_>, all: &[Index<'_>]) -> Option<Finding> {
        let names = list(&index.missing)?;
        let text = format!("names files that are missing: {names}");
        let kind = self.kind_beside_weights(folder_of(index.name), index.name, all);
        Some(Finding::new(kind, index.name, &text))
    }

    /// A note if the folder has a complete set of weights all the same.
    fn kind_beside_weights(&self, folder: &str, name: &str, indexes: &[Index<'_>]) -> FindingKind {
        let single = SINGLE.iter().any(|file| self.has(&format!("{folder}{file}")));
        let is_complete = |index: &Index<'_>| {
            index.name != name && folder_of(index.name) == folder && index.missing.is_empty()
        };
        if single || indexes.iter().any(is_complete) {
            FindingKind::Note
        } else {
            FindingKind::Incomplete
        }
    }

    fn shards(&self) -> Vec<ShardSet> {
        let mut sets: BTreeMap<(String, String, usize), BTreeSet<usize>> = BTreeMap::new();
        for name in self.names() {
            if let Some(shard) = Shard::of(name) {
                sets.entry((shard.start, shard.end, shard.count)).or_default().insert(shard.number);
            }
        }
        let set = |((start, end, count), numbers)| ShardSet { start, end, count, numbers };
        sets.into_iter().map(set).collect()
    }

    fn judge_shards(
        &self,
        set: &ShardSet,
        indexes: &[Index<'_>],
        named: &BTreeSet<&String>,
    ) -> Option<Finding> {
        let missing = set.missing();
        if missing.is_empty() || missing.iter().all(|name| named.contains(name)) {
            return None;
        }
        let have = set.count - missing.len();
        let first = set.present()?;
        let text = format!(
            "is one of {} shards, of which {have} are there: {} is missing",
            set.count,
            list(&missing)?
        );
        let kind = self.kind_beside_weights(folder_of(&first), &first, indexes);
        Some(Finding::new(kind, &first, &text))
    }

    fn judge_mlmodel(&self, name: &str) -> Option<Finding> {
        let text = (self.text)(name)?;
        let folder = folder_of(name);
        let missing: Vec<String> = mlmodel_paths(&String::from_utf8_lossy(&text))
            .map(|path| format!("{folder}{path}"))
            .filter(|path| !self.has_path(path))
            .collect();
        let text = format!("names files that are missing: {}", list(&missing)?);
        Some(Finding::new(FindingKind::Incomplete, name, &text))
    }

    /// A configuration of the Hugging Face libraries, of an adapter, or of Keras, without weights.
    fn judge_config(&self, name: &str) -> Option<Finding> {
        let folder = folder_of(name);
        let text = (self.text)(name)?;
        let incomplete = |what: &str| Some(Finding::new(FindingKind::Incomplete, name, what));
        if base_of(name) == "adapter_config.json" {
            let weights = format!("{folder}adapter_model");
            let is_whole = self.names_from(&weights).next().is_some();
            return if is_whole {
                None
            } else {
                incomplete("describes an adapter without its weights, adapter_model")
            };
        }
        let is_keras = self.has(&format!("{folder}metadata.json"))
            && serde_json::from_slice::<Value>(&text)
                .is_ok_and(|value| value.get("class_name").is_some());
        if is_keras {
            let is_whole = self.names_from(&format!("{folder}model.weights")).next().is_some();
            return if is_whole {
                None
            } else {
                incomplete("describes a model of Keras without its weights, model.weights.h5")
            };
        }
        Config::read(&text)?;
        let is_whole = self.names_from(folder).any(has_weights);
        if is_whole { None } else { incomplete("describes a model whose weights are missing") }
    }

    /// The state file of TensorFlow, which names the last checkpoint.
    fn judge_checkpoint(&self, name: &str) -> Option<Finding> {
        let text = String::from_utf8((self.text)(name)?).ok()?;
        let path = text.lines().find_map(|line| line.strip_prefix("model_checkpoint_path:"))?;
        let path = path.trim().trim_matches('"');
        if path.starts_with('/') || path.is_empty() {
            return None;
        }
        let index = format!("{}{path}.index", folder_of(name));
        // The old form is one file.
        if self.has(&index) || self.has(index.trim_end_matches(".index")) {
            return self.judge_data(&index);
        }
        let text = format!("names a checkpoint that is missing: {index}");
        Some(Finding::new(FindingKind::Incomplete, name, &text))
    }

    /// The data of a checkpoint beside its index.
    fn judge_data(&self, index: &str) -> Option<Finding> {
        let data = format!("{}.data-", index.strip_suffix(".index")?);
        if !self.has(index) || self.names_from(&data).next().is_some() {
            return None;
        }
        let text = format!("has no data beside it: {data}* is missing");
        Some(Finding::new(FindingKind::Incomplete, index, &text))
    }

    fn judge_saved_model(&self, name: &str) -> Option<Finding> {
        let variables = format!("{}variables/variables", folder_of(name));
        let index = format!("{variables}.index");
        if self.has(&index) {
            return self.judge_data(&index);
        }
        let graph = (self.text)(name)?;
        let has = |mark: &[u8]| memchr::memmem::find(&graph, mark).is_some();
        let needs = has(b"VarHandleOp")
            || has(b"VariableV2")
            || self.names_from(&variables).next().is_some();
        let text = format!("needs its variables: {index} is missing");
        needs.then(|| Finding::new(FindingKind::Incomplete, name, &text))
    }

    fn judge_tokenizer(&self) -> Option<Finding> {
        let tokenizer = self.names().find(|name| {
            matches!(base_of(name), "tokenizer.json" | "tokenizer_config.json" | "vocab.txt")
        })?;
        let is_model = self.names().any(|name| has_weights(name) || base_of(name) == "config.json");
        let text = "is of a tokenizer, and there are no weights";
        (!is_model).then(|| Finding::new(FindingKind::Note, tokenizer, text))
    }

    /// Compares the files that a model of ONNX keeps its tensors in with those that are there.
    pub fn judge_external(&self, model: &str, data: &[ExternalData]) -> Vec<Finding> {
        data.iter().filter_map(|data| self.judge_data_file(model, data)).collect()
    }

    fn judge_data_file(&self, model: &str, data: &ExternalData) -> Option<Finding> {
        let location = &data.location;
        let is_outside = location.starts_with('/')
            || location.contains('\\')
            || location.split('/').any(|part| part == "..");
        if is_outside {
            let text = format!("reads a file outside its folder, {location}, when it is loaded");
            return Some(Finding::new(FindingKind::RunsCode, model, &text));
        }
        let path = format!("{}{}", folder_of(model), location.trim_start_matches("./"));
        let text = match self.size(&path) {
            None => format!("keeps tensors in {location}, which is missing"),
            Some(size) if size < data.end => {
                format!("keeps tensors in {location}, which has {size} of {} bytes", data.end)
            }
            Some(_) => return None,
        };
        Some(Finding::new(FindingKind::Incomplete, model, &text))
    }
}

/// A file that is sent alone and is one of several.
pub(super) fn judge_single(name: &str) -> Option<Finding> {
    let shard = Shard::of(name).filter(|shard| shard.count > 1)?;
    let text = format!("is one of {} shards, and the others are not sent with it", shard.count);
    Some(Finding::new(FindingKind::Incomplete, name, &text))
}

/// The files of an index of Hugging Face, or of a manifest of TensorFlow.js.
#[derive(Deserialize)]
struct ShardNames {
    #[serde(default)]
    weight_map: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "weightsManifest")]
    manifest: Option<Vec<ManifestGroup>>,
}

#[derive(Deserialize)]
struct ManifestGroup {
    paths: Vec<String>,
}

impl ShardNames {
    fn files(self, folder: &str) -> impl Iterator<Item = String> {
        let of_map = self.weight_map.unwrap_or_default().into_values();
        let of_groups = self.manifest.unwrap_or_default().into_iter().flat_map(|group| group.paths);
        let names: BTreeSet<String> = of_map.chain(of_groups).collect();
        names.into_iter().map(move |name| format!("{folder}{}", name.trim_start_matches("./")))
    }
}

/// A name such as `model-00001-of-00003.safetensors`.
struct Shard {
    /// Up to the number.
    start: String,
    /// From `-of-` on.
    end: String,
    number: usize,
    count: usize,
}

impl Shard {
    fn of(name: &str) -> Option<Self> {
        let at = name.rfind("-of-")?;
        let start = name[..at].trim_end_matches(|digit: char| digit.is_ascii_digit());
        let number = &name[start.len()..at];
        let rest = &name[at + 4..];
        let digits =
            rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let count: usize = rest[..digits].parse().ok()?;
        // Fewer digits are a date or a word of the name.
        let is_number = start.ends_with(['-', '_', '.'])
            && number.len() >= 4
            && digits == number.len()
            && (1..=100_000).contains(&count);
        let number = number.parse().ok().filter(|number| *number <= count)?;
        is_number.then(|| Self {
            start: start.to_owned(),
            end: name[at..].to_owned(),
            number,
            count,
        })
    }
}

struct ShardSet {
    start: String,
    end: String,
    count: usize,
    numbers: BTreeSet<usize>,
}

impl ShardSet {
    fn name(&self, number: usize) -> String {
        let width = self.end[4..].chars().take_while(char::is_ascii_digit).count();
        format!("{}{number:0width$}{}", self.start, self.end)
    }

    fn present(&self) -> Option<String> {
        self.numbers.first().map(|number| self.name(*number))
    }

    /// Counting begins at 1, except for data of TensorFlow, or if there is a 0.
    fn missing(&self) -> Vec<String> {
        let is_from_zero = self.numbers.contains(&0) || self.start.ends_with(".data-");
        let first = usize::from(!is_from_zero);
        (first..first + self.count)
            .filter(|number| !self.numbers.contains(number))
            .map(|number| self.name(number))
            .collect()
    }
}

/// Paths in an `MLmodel`, whose YAML is one key and one value a line.
fn mlmodel_paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
        let is_path = MLMODEL_PATHS.contains(&key.trim())
            && !value.is_empty()
            && !value.contains("://")
            && !value.starts_with(['/', '{', '[', '&', '*', '|', '>'])
            && !matches!(value, "null" | "~");
        is_path.then_some(value.trim_start_matches("./"))
    })
}

fn has_weights(name: &str) -> bool {
    let ending = base_of(name).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| WEIGHTS.contains(&ending.as_str()))
        && base_of(name) != "training_args.bin"
}

/// A path without its folder.
fn base_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The folder of a path with its `/`; empty at the top.
fn folder_of(name: &str) -> &str {
    &name[..name.len() - base_of(name).len()]
}

/// The first names and how many more there are; none of no names.
fn list(names: &[String]) -> Option<String> {
    let first = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        count if count > SHOWN => Some(format!("{first} and {} more", count - SHOWN)),
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(FindingKind, String)> {
        let sizes: Vec<(&str, u64)> =
            files.iter().map(|(name, text)| (*name, text.len() as u64)).collect();
        let text = |name: &str| {
            let (_, text) = files.iter().find(|(known, _)| *known == name)?;
            Some(text.as_bytes().to_vec())
        };
        let findings = Listing::new(sizes, &text).find_missing();
        findings.into_iter().map(|finding| (finding.kind, finding.path)).collect()
    }

    const INDEX: &str = r#"{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    const ONE: &str = "model-00001-of-00002.safetensors";
    const TWO: &str = "model-00002-of-00002.safetensors";
    const CONFIG: &str = r#"{"architectures":["BertModel"],"model_type":"bert"}"#;

    #[test]
    fn what_a_model_names_and_does_not_have_is_found() {
        let map = r#"{"weight_map":{"a":"one.bin","b":"../two.bin"}}"#;
        let manifest = r#"{"weightsManifest":[{"paths":["group1-shard1of1.bin"]}]}"#;
        let mlmodel = "flavors:\n  sklearn:\n    pickled_model: model.pkl\n  python_function:\n    model_path: model.pkl\n";
        let keras = r#"{"module":"keras","class_name":"Sequential"}"#;
        let cases: &[&[(&str, &str)]] = &[
            &[("model.safetensors.index.json", INDEX), (ONE, "")],
            &[("model.safetensors.index.json", INDEX)],
            &[("m/model.safetensors.index.json", INDEX), (ONE, ""), (TWO, "")],
            &[("pytorch_model.bin.index.json", map), ("one.bin", "")],
            &[("model.json", manifest)],
            &[(ONE, "")],
            &[(TWO, "")],
            &[("a/q-00001-of-00003.gguf", ""), ("a/q-00003-of-00003.gguf", "")],
            &[
                ("ckpt.data-00000-of-00003", ""),
                ("ckpt.data-00002-of-00003", ""),
                ("ckpt.index", ""),
            ],
            &[("train-00000-of-00002.parquet", "")],
            &[("MLmodel", mlmodel), ("other.pkl", "")],
            &[("m/MLmodel", mlmodel), ("model.pkl", "")],
            &[("config.json", CONFIG), ("tokenizer.json", "")],
            &[("bert/config.json", CONFIG), ("other/model.safetensors", "")],
            &[("adapter_config.json", "{\"peft_type\":\"LORA\"}"), ("model.safetensors", "")],
            &[("config.json", keras), ("metadata.json", "{}")],
            &[("checkpoint", "model_checkpoint_path: \"ckpt-1\"\n"), ("ckpt-2.index", "")],
            &[("checkpoint", "model_checkpoint_path: \"ckpt-1\"\n"), ("ckpt-1.index", "")],
            &[("saved_model.pb", "..VarHandleOp.."), ("fingerprint.pb", "")],
            &[("1/saved_model.pb", ""), ("1/variables/variables.index", "")],
            &[("saved_model.pb", ""), ("variables/variables.data-00000-of-00001", "")],
        ];
        for files in cases {
            let found = found(files);
            assert_eq!(found.len(), 1, "{files:?}: {found:?}");
            assert_eq!(found[0].0, FindingKind::Incomplete, "{files:?}: {found:?}");
        }
    }

    #[test]
    fn what_loads_is_no_finding() {
        let mlmodel = "artifact_path: model\nflavors:\n  python_function:\n    data: data\n    env:\n      conda: conda.yaml\n    artifacts:\n      a:\n        path: artifacts/a.txt\n        uri: s3://b/path\n";
        let cases: &[&[(&str, &str)]] = &[
            &[("model.safetensors.index.json", INDEX), (ONE, ""), (TWO, "")],
            &[(ONE, ""), (TWO, "")],
            &[("ckpt.data-00000-of-00001", ""), ("ckpt.index", "")],
            &[("MLmodel", mlmodel), ("data/model.pth", ""), ("artifacts/a.txt", "")],
            &[("config.json", CONFIG), ("onnx/model.onnx", "")],
            &[("config.json", "{\"lr\":1}"), ("notes.txt", "")],
            &[("saved_model.pb", "..MatMul..")],
            &[
                ("saved_model.pb", ""),
                ("variables/variables.index", ""),
                ("variables/variables.data-00000-of-00001", ""),
            ],
            &[("model.json", "{\"learner\":{}}")],
            &[("notes-1-of-3.txt", ""), ("2020-of-2021.txt", "")],
            &[("faiss.index", "")],
        ];
        for files in cases {
            assert_eq!(found(files), [], "{files:?}");
        }
        let stale = found(&[("model.safetensors.index.json", INDEX), ("model.safetensors", "")]);
        assert_eq!(stale, [(FindingKind::Note, "model.safetensors.index.json".to_owned())]);
        let tokenizer = found(&[("tokenizer.json", "{}"), ("special_tokens_map.json", "{}")]);
        assert_eq!(tokenizer, [(FindingKind::Note, "tokenizer.json".to_owned())]);
        let other = r#"{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}"#;
        let stale = found(&[
            ("model.safetensors.index.json", INDEX),
            (ONE, ""),
            (TWO, ""),
            ("pytorch_model.bin.index.json", other),
        ]);
        assert_eq!(stale, [(FindingKind::Note, "pytorch_model.bin.index.json".to_owned())]);
    }

    #[test]
    fn external_data_is_compared_with_what_is_there() {
        let none = |_: &str| None;
        let files = [("m/model.onnx", 10), ("m/weights.bin", 100)];
        let listing = Listing::new(files, &none);
        for (location, end, kind) in [
            ("weights.bin", 100, None),
            ("./weights.bin", 1, None),
            ("weights.bin", 101, Some(FindingKind::Incomplete)),
            ("other.bin", 0, Some(FindingKind::Incomplete)),
            ("../weights.bin", 1, Some(FindingKind::RunsCode)),
            ("/etc/passwd", 1, Some(FindingKind::RunsCode)),
            ("a/../../x", 1, Some(FindingKind::RunsCode)),
        ] {
            let data = [ExternalData { location: location.to_owned(), end }];
            let found = listing.judge_external("m/model.onnx", &data);
            assert_eq!(found.first().map(|found| found.kind), kind, "{location}");
        }
    }

    #[test]
    fn of_entries_with_one_name_the_last_counts_once() {
        let none = |_: &str| None;
        let listing = Listing::new([("b", 2), ("a", 1), ("b", 3), ("b", 4)], &none);
        assert_eq!(listing.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(listing.size("b"), Some(4));
    }

    #[test]
    fn a_shard_that_goes_alone_is_incomplete() {
        assert!(judge_single("model-00001-of-00003.safetensors").is_some());
        assert!(judge_single("model-00001-of-00001.gguf").is_none());
        assert!(judge_single("part-of-me.bin").is_none());
    }
}
