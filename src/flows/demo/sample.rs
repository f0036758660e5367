//! The models that `demo` uploads: small, but real. A logistic regression, trained here, as one
//! safetensors file; and a folder as Hugging Face lays it out, with configuration, tokenizer and
//! weights.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// What was written, and what a person would say of it.
#[derive(Clone, Debug)]
pub struct Samples {
    /// A single safetensors file.
    pub file: PathBuf,
    /// A folder of four files.
    pub folder: PathBuf,
    /// Share of the training points that the file's model classifies correctly, 0 to 1.
    pub training_accuracy: f64,
}

/// Trains and writes the samples below `folder`, which must exist.
///
/// # Errors
/// A file cannot be written.
pub fn write_samples(folder: &Path) -> io::Result<Samples> {
    let points = points();
    let model = Logistic::train(&points);
    let file = folder.join("classifier.safetensors");
    let tensors = [
        ("linear.weight", vec![1, 2], model.weights.to_vec()),
        ("linear.bias", vec![1], vec![model.bias]),
    ];
    std::fs::write(&file, safetensors(&tensors)?)?;
    let text_model = folder.join("text-classifier");
    write_text_model(&text_model)?;
    Ok(Samples { file, folder: text_model, training_accuracy: model.accuracy(&points) })
}

/// A point of the plane and its class.
struct Point {
    features: [f32; 2],
    class: f32,
}

/// Two overlapping clouds of 100 points each, the same on every machine: a linear congruential
/// generator (Numerical Recipes' constants) in place of randomness.
fn points() -> Vec<Point> {
    let mut state = 20_251_010_u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap_or(u16::MAX)) / 65_536.0
    };
    // The sum of three uniform numbers is close to a bell curve.
    let mut bell = || uniform() + uniform() + uniform() - 1.5;
    (0..200_u8)
        .map(|index| {
            let class = f32::from(index % 2);
            Point { features: [bell() + class * 0.9, bell() - class * 0.9], class }
        })
        .collect()
}

struct Logistic {
    weights: [f32; 2],
    bias: f32,
}

impl Logistic {
    /// Plain gradient descent on the log loss, 300 steps.
    fn train(points: &[Point]) -> Self {
        let mut model = Self { weights: [0.0, 0.0], bias: 0.0 };
        let rate = 2.0 / f32::from(u16::try_from(points.len()).unwrap_or(u16::MAX));
        for _ in 0..300 {
            let (mut slope, mut shift) = ([0.0, 0.0], 0.0);
            for point in points {
                let error = model.probability(point) - point.class;
                slope[0] += error * point.features[0];
                slope[1] += error * point.features[1];
                shift += error;
            }
            model.weights[0] -= rate * slope[0];
            model.weights[1] -= rate * slope[1];
            model.bias -= rate * shift;
        }
        model
    }

    fn probability(&self, point: &Point) -> f32 {
        let [x, y] = point.features;
        1.0 / (1.0 + (-(self.weights[0] * x + self.weights[1] * y + self.bias)).exp())
    }

    fn accuracy(&self, points: &[Point]) -> f64 {
        let right = points
            .iter()
            .filter(|point| (self.probability(point) > 0.5) == (point.class > 0.5))
            .count();
        f64::from(u32::try_from(right).unwrap_or(0))
            / f64::from(u32::try_from(points.len()).unwrap_or(1))
    }
}

/// Name, shape and values of one tensor.
type Tensor<'a> = (&'a str, Vec<usize>, Vec<f32>);

/// The safetensors format: eight bytes with the header's length, the header as JSON, the values
/// one after another, little endian.
fn safetensors(tensors: &[Tensor<'_>]) -> io::Result<Vec<u8>> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut values = Vec::new();
    for (name, shape, numbers) in tensors {
        let start = values.len();
        values.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, values.len()]});
        header.insert((*name).to_owned(), entry);
    }
    let mut text = serde_json::to_vec(&Value::Object(header))?;
    // Values are read where they lie, so the header is padded to a multiple of eight.
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut file = (text.len() as u64).to_le_bytes().to_vec();
    file.extend(text);
    file.extend(values);
    Ok(file)
}

const VOCABULARY: [&str; 8] = ["[PAD]", "[UNK]", "good", "bad", "the", "model", "is", "data"];
const HIDDEN: usize = 4;

/// A bag-of-words sentiment model: embeddings and a linear layer.
fn write_text_model(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let config = json!({
        "architectures": ["BagOfWordsForSequenceClassification"],
        "model_type": "bag-of-words",
        "hidden_size": HIDDEN,
        "vocab_size": VOCABULARY.len(),
        "id2label": {"0": "negative", "1": "positive"},
    });
    let words: Map<String, Value> =
        VOCABULARY.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"},
    });
    std::fs::write(folder.join("config.json"), serde_json::to_vec_pretty(&config)?)?;
    std::fs::write(folder.join("tokenizer.json"), serde_json::to_vec_pretty(&tokenizer)?)?;
    std::fs::write(
        folder.join("README.md"),
        "---\nlibrary_name: safetensors\npipeline_tag: text-classification\n---\n\nA sentiment model of eight words.\n",
    )?;
    std::fs::write(folder.join("model.safetensors"), safetensors(&text_tensors())?)
}

fn text_tensors() -> [Tensor<'static>; 2] {
    let mut embeddings = vec![0.0; VOCABULARY.len() * HIDDEN];
    // "good" and "bad" point in opposite directions; every other word is neutral.
    embeddings[2 * HIDDEN] = 1.0;
    embeddings[3 * HIDDEN] = -1.0;
    let classifier = vec![-2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0];
    [
        ("embeddings.weight", vec![VOCABULARY.len(), HIDDEN], embeddings),
        ("classifier.weight", vec![2, HIDDEN], classifier),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trained_model_is_better_than_a_guess_and_not_perfect() {
        let folder = tempfile::tempdir().unwrap();
        let samples = write_samples(folder.path()).unwrap();
        assert!((0.8..1.0).contains(&samples.training_accuracy), "{}", samples.training_accuracy);
    }

    #[test]
    fn the_weights_are_valid_safetensors() {
        let folder = tempfile::tempdir().unwrap();
        let samples = write_samples(folder.path()).unwrap();
        for path in [samples.file, samples.folder.join("model.safetensors")] {
            let bytes = std::fs::read(path).unwrap();
            let length =
                usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            let header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            let ends = header.values().filter_map(|entry| entry["data_offsets"][1].as_u64());
            assert_eq!(8 + length as u64 + ends.max().unwrap(), bytes.len() as u64);
            assert_eq!(length % 8, 0);
        }
    }

    #[test]
    fn the_samples_are_the_same_on_every_run() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (first, second) = (write_samples(a.path()).unwrap(), write_samples(b.path()).unwrap());
        assert_eq!(std::fs::read(first.file).unwrap(), std::fs::read(second.file).unwrap());
    }
}
