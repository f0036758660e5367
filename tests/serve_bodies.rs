//! Bodies that `dwctl serve` does not take: archives and forms that would lose a file, and those that
//! would take more memory than they show.

use serde_json::Value;

use crate::support::http::{Call, Multipart, Reply};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

const FIELDS: [(&str, &str); 4] =
    [("model_id", "m"), ("name", "N"), ("framework", "pytorch"), ("model_type", "nlp")];

fn folder(stack: &Stack, archive: &[u8], preserve: bool) -> Reply {
    let preserve = if preserve { "true" } else { "false" };
    let form = Multipart::new()
        .file("zip_file", "m.zip", archive)
        .texts(&FIELDS)
        .text("preserve_structure", preserve);
    stack.call(&Call::post("/ai-models/upload/folder/u", &form))
}

/// Two entries of one name: a writer makes none, so the second is renamed in the bytes.
fn doubled(name: &str) -> Vec<u8> {
    let other = "z".repeat(name.len());
    let mut bytes = zipped(&[(name, b"first"), (&other, b"second")]);
    while let Some(at) = bytes.windows(name.len()).position(|part| part == other.as_bytes()) {
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
    }
    bytes
}

#[test]
fn an_archive_or_form_that_would_lose_a_file_is_refused_and_nothing_is_stored() {
    let stack = Stack::start();
    for name in ["weights.pt", "model/weights.pt"] {
        for preserve in [true, false] {
            let refused = folder(&stack, &doubled(name), preserve).expect(400).text();
            assert!(refused.contains("twice"), "{refused}");
        }
    }
    let same_base = zipped(&[("a/tok.txt", b"1"), ("b/c/tok.txt", b"2"), ("x.pt", b"3")]);
    assert!(folder(&stack, &same_base, false).expect(400).text().contains("Several files"));
    let two =
        Multipart::new().file("file", "one.pt", b"1").file("file", "two.pt", b"2").texts(&FIELDS);
    let reply = stack.call(&Call::post("/ai-models/upload/single/u", &two)).expect(400);
    assert!(reply.text().contains("Several files came in the field"), "{}", reply.text());
    assert_eq!(stack.call(&Call::get("/ai-models/u")).expect(200).json(), Value::Array(Vec::new()));
    drop(folder(&stack, &same_base, true).expect(200));
}

/// Peak memory of the server in MiB.
fn peak(stack: &Stack) -> u64 {
    let pid = stack.process().pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

#[test]
fn bodies_take_a_bounded_memory() {
    let stack = Stack::start();
    let many = |item: &str| vec![item; (20 << 20) / (item.len() + 1)].join(",");
    let object =
        |fields: &str| format!("{{\"user_id\":\"u\",\"dataset_id\":\"d\",\"report\":{fields}}}");
    let before = peak(&stack);
    for text in [
        object(&format!("[{}]", many("1"))),
        object(&format!("[{}]", many("\"\""))),
        object(&format!("[{}]", many("[]"))),
        object(&format!("[[[{}]]]", many("{}"))),
        object(&format!("{{{}}}", many("\"\":1"))),
        object(&format!("[{}]", many("{\"\":[1]}"))),
        format!("[{}]", many("1")),
    ] {
        let calls = [
            Call::post_json("/bias-reports/", &text),
            Call::post_json("/transformation-reports/", &text),
            Call::new("PUT", "/ai-models/u/m").body("application/json", text.clone().into_bytes()),
            Call::new("PUT", "/datasets/u/d").body("application/json", text.clone().into_bytes()),
        ];
        for call in calls {
            let refused = stack.call(&call).expect(413).text();
            assert!(refused.contains("values; at most 1000000 are read"), "{refused}");
        }
    }
    let taken = peak(&stack) - before;
    assert!(taken < 200, "{taken} MiB");
}

#[test]
fn forms_take_a_bounded_memory() {
    let stack = Stack::start();
    let long = "x".repeat(1_000_000);
    let texts = (0..40).fold(Multipart::new(), |form, n| form.text(&format!("f{n}"), &long));
    let reply = stack.call(&Call::post("/ai-models/upload/single/u", &texts)).expect(413);
    assert!(reply.text().contains("more than 8388608 bytes"), "{}", reply.text());
    let head = format!("Content-Disposition: form-data; name=\"{}\"", "n".repeat(30 << 20));
    let headless = Multipart::new().raw(head.as_bytes(), b"x");
    drop(stack.call(&Call::post("/ai-models/upload/single/u", &headless)).expect(400));
    let wide = ",".repeat(15 << 20);
    let table = Multipart::new()
        .file("file", "wide.csv", wide.as_bytes())
        .texts(&[("dataset_id", "wide"), ("name", "W")]);
    let reply = stack.call(&Call::post("/datasets/upload/u", &table)).expect(200);
    assert_eq!(reply.json()["columns"], Value::Null);
    assert!(peak(&stack) < 400, "{} MiB", peak(&stack));
}

#[test]
fn the_pages_that_do_not_exist_are_not_named() {
    for arguments in [&[][..], &["--dialect", "flat"], &["--dialect", "task"]] {
        let stack = Stack::start_with(arguments);
        let info = stack.call(&Call::get("/")).expect(200).json();
        assert!(info.get("docs").is_none() && info.get("redoc").is_none(), "{info}");
        for page in ["/docs", "/redoc"] {
            drop(stack.call(&Call::get(page)).expect(404));
        }
    }
}
