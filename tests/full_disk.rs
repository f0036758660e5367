//! `dwctl serve` on a disk without space: everything can be deleted, which makes room again, and the
//! log says what could not be written.

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart, Reply};
use crate::support::run::Stream;
use crate::support::small_disk::on_a_disk_of;

fn upload(host: &str, model: &str, size: usize) -> Reply {
    let form = Multipart::new().file("file", "model.pt", &vec![7; size]).texts(&[
        ("model_id", model),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
    ]);
    Call::post("/ai-models/upload/single/u", &form).send(host)
}

fn upload_dataset(host: &str, dataset: &str, size: usize) -> Reply {
    let form = Multipart::new()
        .file("file", "d.bin", &vec![7; size])
        .texts(&[("dataset_id", dataset), ("name", "D")]);
    Call::post("/datasets/upload/u", &form).send(host)
}

/// Uploads until nothing fits any more: large ones, then the smallest. Gives how many are stored.
fn fill(upload: impl Fn(&str, usize) -> Reply, sizes: &[usize]) -> usize {
    let mut stored = 0;
    for size in sizes {
        loop {
            let reply = upload(&format!("x-{stored}"), *size);
            if reply.status == 507 {
                break;
            }
            drop(reply.expect(200));
            stored += 1;
            assert!(stored < 5_000, "all of it fits");
        }
    }
    stored
}

#[test]
fn on_a_full_disk_every_model_can_be_deleted_and_makes_room() {
    for sizes in [&[50_000, 1_000][..], &[200_000, 1_000], &[1_000_000]] {
        let environment = Environment::new();
        let Some((process, host, _)) = on_a_disk_of(12, &environment) else { return };
        let stored = fill(|model, size| upload(&host, model, size), sizes);
        process.wait_for(Stream::Err, "507: No space is left in the data folder: ");
        for number in 0..stored {
            let call = Call::new("DELETE", &format!("/ai-models/u/x-{number}"));
            drop(call.send(&host).expect(200));
        }
        drop(upload(&host, "again", 50_000).expect(200));
        let left = Call::get("/ai-models/u").send(&host).expect(200).json();
        assert_eq!(left.as_array().unwrap().len(), 1);
    }
}

#[test]
fn on_a_full_disk_datasets_and_reports_can_be_deleted_too() {
    let environment = Environment::new();
    let Some((_process, host, _)) = on_a_disk_of(12, &environment) else { return };
    drop(upload_dataset(&host, "d", 100).expect(200));
    let report = r#"{"user_id":"u","dataset_id":"d","version":"v1","report":{}}"#;
    for path in ["/bias-reports/", "/transformation-reports/"] {
        drop(Call::post_json(path, report).send(&host).expect(200));
    }
    let stored = fill(|dataset, size| upload_dataset(&host, dataset, size), &[60_000, 1_000]);
    let others =
        ["/bias-reports/u/d", "/transformation-reports/u/d/v1", "/datasets/u/d/version/v1"];
    let all = (0..stored).map(|number| format!("/datasets/u/x-{number}"));
    for path in others.map(str::to_owned).into_iter().chain(all) {
        drop(Call::new("DELETE", &path).send(&host).expect(200));
    }
    drop(upload_dataset(&host, "again", 50_000).expect(200));
}
