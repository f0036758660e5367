//! Which bytes are a pickle that runs code. A pickle at the beginning of a file counts whatever it
//! holds: whoever loads it runs what it says. The exception is the pickle of a PyTorch archive that
//! imports only what rebuilds tensors. Further inside a file a pickle counts if it calls something or
//! is complete.

use std::path::Path;

use memchr::{memchr, memchr_iter, memchr3_iter};

use crate::archive::recognise::{End, Import, PickleWalk, TORCH_LEGACY};

/// Pickles one after another that are looked at.
const IN_A_ROW: usize = 16;
/// Opcode bytes that the search for pickles inside one file may follow.
const SEARCH_MOST: usize = 4 * 1024 * 1024;
/// Endings of files that hold pickles of the old protocols.
const ENDINGS: [&str; 6] = ["pkl", "pickle", "joblib", "sav", "p", "dill"];

/// What is imported by pickles of weights alone, by module; `*` stands for the rest of a name.
const WEIGHTS: [(&str, &[&str]); 18] = [
    ("collections", &["OrderedDict", "Counter"]),
    ("builtins", &["set", "frozenset", "bytearray", "complex", "slice"]),
    ("__builtin__", &["set", "frozenset", "bytearray", "complex", "slice"]),
    ("_codecs", &["encode"]),
    ("torch", &["Size", "device", "Tensor", "dtype", "*Storage"]),
    ("torch._utils", &["_rebuild_*"]),
    ("torch._tensor", &["_rebuild_from_type_v2"]),
    ("torch.storage", &["TypedStorage", "UntypedStorage", "_TypedStorage", "_UntypedStorage"]),
    ("torch.cuda", &["*Storage"]),
    ("torch.nn.parameter", &["Parameter", "Buffer", "UninitializedParameter"]),
    ("torch.serialization", &["_get_layout"]),
    ("torch._C", &["_get_layout"]),
    ("numpy", &["ndarray", "dtype"]),
    ("numpy.core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy._core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("numpy.dtypes", &["*DType"]),
];
/// Kinds of elements, which are names in the module `torch`.
const DTYPES: [&str; 17] = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e5m2",
];

/// What is known of bytes that may be a pickle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PickleVerdict {
    /// No pickle.
    Other,
    /// A pickle of tensors alone.
    Weights,
    /// A pickle that runs code; a fragment for people.
    Code(String),
    /// Too much of it looks like pickles.
    Unfollowed,
}

impl PickleWalk {
    /// A fragment for people: the pickle and the first import that is no part of weights.
    fn describe(&self) -> String {
        match self.imports.iter().find(|import| !is_of_weights(import)) {
            Some(Import { module, name }) => {
                let import: String = format!("{module}.{name}").chars().take(80).collect();
                format!("a pickle that imports {import}")
            }
            None => "a pickle".to_owned(),
        }
    }

    /// Whether it imports and calls something, as Python could.
    fn runs(&self) -> bool {
        self.calls
            && ((!self.imports.is_empty() && self.has_plausible_imports())
                || (self.hidden_import && self.end == End::Stop))
    }
}

fn is_of_weights(import: &Import) -> bool {
    let names =
        WEIGHTS.iter().find(|(module, _)| *module == import.module).map(|(_, names)| *names);
    let is_listed = names.unwrap_or_default().iter().any(|pattern| {
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(ending), _) => import.name.ends_with(ending),
            (_, Some(beginning)) => import.name.starts_with(beginning),
            _ => import.name == **pattern,
        }
    });
    let is_dotted = import.name.contains('.');
    !is_dotted
        && (is_listed || (import.module == "torch" && DTYPES.contains(&import.name.as_str())))
}

/// Judges the beginning of a content, and the pickles that follow it.
pub(super) fn judge_beginning(name: &str, content: &[u8], is_whole: bool) -> PickleVerdict {
    if content.starts_with(TORCH_LEGACY) {
        return judge_legacy(content);
    }
    let mut at = 0;
    for _ in 0..IN_A_ROW {
        let rest = &content[at..];
        let walk = PickleWalk::read(rest);
        if is_pickle(name, rest, &walk, is_whole) {
            return PickleVerdict::Code(walk.describe());
        }
        if walk.end != End::Stop || walk.length == 0 {
            break;
        }
        at += walk.length;
    }
    PickleVerdict::Other
}

fn is_pickle(name: &str, content: &[u8], walk: &PickleWalk, is_whole: bool) -> bool {
    let imports = !walk.imports.is_empty() && walk.has_plausible_imports();
    match content {
        // From protocol 2 on a mark is first; a pickle that breaks later has run by then.
        [0x80, protocol @ 2..=5, next, ..] => match walk.end {
            End::Stop => true,
            End::Bytes => imports || walk.memoises || (*protocol >= 4 && *next == 0x95),
            End::Unknown => imports,
        },
        _ if walk.runs() => true,
        _ => match walk.end {
            End::Stop => {
                let is_all = is_whole && content[walk.length..].trim_ascii().is_empty();
                walk.memoises || (is_all && (imports || is_named_pickle(name)))
            }
            // A long one that goes on behind what was read.
            End::Bytes => walk.memoises && (imports || content.len() >= 512),
            End::Unknown => false,
        },
    }
}

fn is_named_pickle(name: &str) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default().to_string_lossy();
    ENDINGS.contains(&extension.to_lowercase().as_str())
}

/// The pickles of PyTorch before 1.6: its number, a version, facts of the system, then the object.
fn judge_legacy(content: &[u8]) -> PickleVerdict {
    let (mut at, mut rebuilds) = (0, false);
    for place in 0..5 {
        let walk = PickleWalk::read(&content[at..]);
        let is_safe = !walk.hidden_import && walk.imports.iter().all(is_of_weights);
        if !is_safe || walk.end == End::Unknown {
            return PickleVerdict::Code(walk.describe());
        }
        if walk.end == End::Bytes {
            // A file may end behind the object; otherwise the end was not read.
            let verdict = PickleVerdict::Code("a pickle".to_owned());
            return if place > 3 && rebuilds { PickleVerdict::Weights } else { verdict };
        }
        rebuilds |= has_tensors(&walk);
        at += walk.length;
    }
    if rebuilds { PickleVerdict::Weights } else { PickleVerdict::Code("a pickle".to_owned()) }
}

fn has_tensors(walk: &PickleWalk) -> bool {
    walk.imports.iter().any(|import| import.module == "torch._utils")
}

/// Judges the pickle of a PyTorch archive, which is here whole.
pub(super) fn judge_weights(content: &[u8]) -> PickleVerdict {
    let walk = PickleWalk::read(content);
    let is_safe = walk.end == End::Stop
        && !walk.hidden_import
        && walk.imports.iter().all(is_of_weights)
        && has_tensors(&walk);
    if is_safe { PickleVerdict::Weights } else { PickleVerdict::Code(walk.describe()) }
}

/// Searches a content for pickles behind its first byte.
pub(super) fn search(content: &[u8]) -> PickleVerdict {
    let mut followed = 0;
    // The first bytes that `may_begin` knows, found by a vector of bytes at a time.
    let marks = memchr3_iter(0x80, b'(', b'c', content);
    let texts = memchr_iter(0x8c, content);
    for at in marks.chain(texts).filter(|at| *at > 0) {
        if !may_begin(&content[at..]) {
            continue;
        }
        let walk = PickleWalk::read(&content[at..]);
        let is_complete = content[at] == 0x80 && is_complete_pickle(&content[at..], &walk);
        if walk.runs() || is_complete {
            return PickleVerdict::Code(walk.describe());
        }
        followed += walk.length;
        if followed > SEARCH_MOST {
            return PickleVerdict::Unfollowed;
        }
    }
    PickleVerdict::Other
}

/// Whether a pickle may begin here: its mark, or opcodes of the old protocols that come first.
fn may_begin(content: &[u8]) -> bool {
    match content {
        [0x80, 0..=5, ..] => true,
        [b'c', rest @ ..] => is_import(rest),
        [b'(', next, ..] => b"(cdlitINSUVXKFLJMG}])".contains(next),
        [0x8c, length, rest @ ..] => {
            rest.get(usize::from(*length)).is_some_and(|next| *next >= 0x8c)
        }
        _ => false,
    }
}

/// Whether two lines of identifiers follow.
fn is_import(content: &[u8]) -> bool {
    const LINE_MOST: usize = 128;
    let mut rest = content;
    for _ in 0..2 {
        let Some(end) = memchr(b'\n', &rest[..rest.len().min(LINE_MOST)]) else { return false };
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.\r".contains(byte);
        if end == 0 || !rest[..end].iter().all(is_word) {
            return false;
        }
        rest = &rest[end + 1..];
    }
    true
}

/// Whether a pickle with a mark has the signs of a pickler: a frame that ends where it says, or
/// a memo.
fn is_complete_pickle(content: &[u8], walk: &PickleWalk) -> bool {
    const LEAST: usize = 8;
    if walk.end != End::Stop || walk.length < LEAST {
        return false;
    }
    let frame = match content {
        [0x80, 4..=5, 0x95, rest @ ..] => rest.first_chunk::<8>(),
        _ => return walk.memoises,
    };
    frame.is_some_and(|length| u64::from_le_bytes(*length) + 11 == walk.length as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_code(name: &str, content: &[u8]) -> bool {
        matches!(judge_beginning(name, content, true), PickleVerdict::Code(_))
    }

    #[test]
    fn pickles_of_every_protocol_are_known_under_any_name() {
        let pickles: [&[u8]; 14] = [
            b"cos\nsystem\n(S'id'\ntR.",
            b"cos\nsystem\n(S'id'\ntR.and more bytes",
            b"(S'id'\nios\nsystem\n.",
            b"(cos\nsystem\nS'id'\no.",
            b"c__builtin__\neval\n(Vprint(1)\ntRp0\n.",
            b"(dp0\nVa\np1\nI1\ns.",
            b"(lp0\nI1\naI2\na.",
            b"\x80\x01}q\x00X\x01\0\0\0aq\x01K\x01s.",
            b"}q\x00X\x01\0\0\0aq\x01K\x01s.",
            b"\x80\x02}q\x00.",
            b"\x80\x04}.",
            b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.",
            b"I1\n.I2\n.cos\nsystem\n(S'id'\ntR.",
            b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R\xff\xff broken",
        ];
        for content in pickles {
            for name in ["m.pkl", "m.bin", "weights", "notes.txt"] {
                assert!(is_code(name, content), "{name}: {content:?}");
            }
        }
    }

    #[test]
    fn texts_and_noise_are_no_pickles() {
        let texts: [&[u8]; 16] = [
            b"",
            b".",
            b"N. America\n",
            b"(c) 2026 Somebody\nAll rights reserved.\n",
            b"(see below)\n",
            b"config\nbuild\n.env\n",
            b"content\nof\nthis file.\n",
            b"cat\ndog\nRed\n.",
            b"class A:\n    pass\n",
            b"import os\nos.system('id')\n",
            b"I am a text.\n",
            b"]\n.",
            b"{\"a\": 1}",
            b"\x80\x02",
            b"\x80\x04\xff\xfe",
            b"(1, 2)\n(3, 4)\n",
        ];
        for content in texts {
            assert!(!is_code("notes.txt", content), "{content:?}");
            assert_eq!(search(content), PickleVerdict::Other, "{content:?}");
        }
    }

    #[test]
    fn a_pickle_behind_other_bytes_is_found() {
        for prefix in [&b"# a model\n"[..], b"HEAD", &[0; 300], b"(c) 2026\n\x80\x01\x80"] {
            let pickles: [&[u8]; 4] = [
                b"cos\nsystem\n(S'id'\ntR.",
                b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
                b"\x80\x04\x95\x09\0\0\0\0\0\0\0}\x94\x8c\x01aK\x01s.",
                b"\x80\x02}q\x00U\x01aK\x01s.",
            ];
            for pickle in pickles {
                let content = [prefix, pickle, b"tail"].concat();
                assert!(matches!(search(&content), PickleVerdict::Code(_)), "{content:?}");
            }
        }
    }

    #[test]
    fn a_pickle_of_tensors_alone_is_weights() {
        let tensor = "\u{80}\x02ccollections\nOrderedDict\nq\0)Rq\x01X\x01\0\0\0wq\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07\0\0\0storageq\x04ctorch\nFloatStorage\nq\x05tQK\0)))tRq\x06s.";
        let tensor: Vec<u8> = tensor.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        assert_eq!(judge_weights(&tensor), PickleVerdict::Weights);
        let evil = b"cos\nsystem\nq\x09X\x02\0\0\0id\x85Rq\x0a0";
        let evil = [&tensor[..2], &evil[..], &tensor[2..]].concat();
        let verdict = judge_weights(&evil);
        assert_eq!(verdict, PickleVerdict::Code("a pickle that imports os.system".to_owned()));
        assert!(matches!(judge_weights(&tensor[..tensor.len() - 1]), PickleVerdict::Code(_)));
        assert!(matches!(judge_weights(b"\x80\x02}q\x00."), PickleVerdict::Code(_)));
        let legacy = [TORCH_LEGACY, b"\x80\x02M\xe9\x03.", b"\x80\x02}q\x00.", &tensor].concat();
        let legacy = [&legacy[..], b"\x80\x02]q\x00.", &[7; 64]].concat();
        assert_eq!(judge_beginning("m.pt", &legacy, true), PickleVerdict::Weights);
        let legacy = [TORCH_LEGACY, b"\x80\x02M\xe9\x03.", b"\x80\x02}q\x00.", &evil].concat();
        assert!(matches!(judge_beginning("m.pt", &legacy, true), PickleVerdict::Code(_)));
    }
}
