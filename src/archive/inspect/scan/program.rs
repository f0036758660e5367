//! Files that are programs, or that a loader runs in part: native libraries, files of Python's import
//! path, YAML with Python's tags, graphs of TensorFlow with operations that reach out of the graph,
//! and chat templates that reach into Python.

use std::path::Path;

use memchr::memmem;

/// Operations of TensorFlow that run Python or touch files, as nodes of a graph name them.
const OPERATIONS: [&str; 6] =
    ["PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles"];
/// Words of chat templates that leave the template.
const ESCAPES: [&[u8]; 8] = [
    b"__class__",
    b"__globals__",
    b"__subclasses__",
    b"__import__",
    b"__builtins__",
    b"__init__",
    b"__mro__",
    b"__base",
];

/// A fragment for people, if the content is a program or has one in it.
pub(super) fn judge_program(name: &str, head: &[u8]) -> Option<String> {
    if is_native(head) {
        return Some("machine code".to_owned());
    }
    let extension =
        Path::new(name).extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match extension.as_str() {
        "pth" => imports_on_start(head).then(|| "a line that Python's start imports".to_owned()),
        "yaml" | "yml" => yaml_tag(head),
        "pyc" => (head.get(2..4) == Some(b"\r\n")).then(|| "compiled Python".to_owned()),
        "jinja" => has_escape(head).then(|| "a chat template that reaches into Python".to_owned()),
        _ => None,
    }
}

fn is_native(head: &[u8]) -> bool {
    let marks: [&[u8]; 5] = [
        b"\x7fELF",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xfe\xed\xfa\xcf",
        b"\xca\xfe\xba\xbe",
    ];
    let windows = || {
        let at = u32::from_le_bytes(*head.get(0x3c..)?.first_chunk::<4>()?);
        head.get(usize::try_from(at).ok()?..).map(|rest| rest.starts_with(b"PE\0\0"))
    };
    marks.iter().any(|mark| head.starts_with(mark))
        || (head.starts_with(b"MZ") && windows() == Some(true))
}

/// A `.pth` file is PyTorch's, or a list of folders for Python, whose lines of `import` are run.
fn imports_on_start(head: &[u8]) -> bool {
    let is_text = std::str::from_utf8(&head[..head.len().min(1024)]).is_ok();
    let mut lines = head.split(|byte| *byte == b'\n');
    is_text && lines.any(|line| line.starts_with(b"import ") || line.starts_with(b"import\t"))
}

fn yaml_tag(head: &[u8]) -> Option<String> {
    let tags: [&[u8]; 2] = [b"!!python/", b"tag:yaml.org,2002:python/"];
    tags.iter()
        .any(|tag| memmem::find(head, tag).is_some())
        .then(|| "YAML that makes objects of Python".to_owned())
}

/// Whether a template names what leads from it into Python.
pub(super) fn has_escape(template: &[u8]) -> bool {
    ESCAPES.iter().any(|word| memmem::find(template, word).is_some())
}

/// The operation in a graph of TensorFlow that runs Python or touches files. A node names it in its
/// second field, right behind its own name; as text it is `op: "…"`.
pub(super) fn find_operation(content: &[u8]) -> Option<&'static str> {
    OPERATIONS.into_iter().find(|operation| {
        let length = u8::try_from(operation.len()).unwrap_or_default();
        let field = [&[0x12, length], operation.as_bytes()].concat();
        let quoted = format!("op: \"{operation}\"");
        memmem::find_iter(content, &field).any(|at| is_node(content, at, field.len()))
            || memmem::find(content, quoted.as_bytes()).is_some()
    })
}

/// Whether a field of an operation has a node's name before it, or another field of a node behind it.
fn is_node(content: &[u8], at: usize, length: usize) -> bool {
    let names = (1..=at.min(127)).any(|back| {
        usize::from(content[at - back]) == back - 1 && at > back && content[at - back - 1] == 0x0a
    });
    let next = content.get(at + length);
    names || next.is_none_or(|byte| matches!(byte, 0x0a | 0x1a | 0x22 | 0x2a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_first_bytes() {
        let mut windows = b"MZ".to_vec();
        windows.resize(0x3c, 0);
        windows.extend(0x40_u32.to_le_bytes());
        windows.extend(b"PE\0\0");
        for head in [&b"\x7fELF\x02\x01"[..], b"\xcf\xfa\xed\xfe\x07", &windows] {
            assert!(judge_program("op.bin", head).is_some());
        }
        assert!(judge_program("a.pth", b"/a/b\nimport os; os.system('id')\n").is_some());
        assert!(judge_program("a.yaml", b"a: !!python/object/apply:os.system ['id']").is_some());
        for (name, head) in [
            ("m.pth", &b"PK\x03\x04"[..]),
            ("paths.pth", b"/a/b\nimportant\n"),
            ("a.yaml", b"a: 1"),
            ("a.txt", b"MZ is how it begins"),
        ] {
            assert_eq!(judge_program(name, head), None, "{name}");
        }
    }

    #[test]
    fn operations_are_found_in_graphs_and_not_in_prose() {
        assert_eq!(find_operation(b"\x0a\x12\x0a\x04call\x12\x06PyFunc\x1a\x01x"), Some("PyFunc"));
        assert_eq!(find_operation(b"node { op: \"WriteFile\" }"), Some("WriteFile"));
        for text in [&b"PyFunc is an operation"[..], b"\x12\x06PyFuncs", b"op: \"MatMul\""] {
            assert_eq!(find_operation(text), None, "{text:?}");
        }
    }
}
