//! What runs code is found in every container, and what does not is left alone.

use std::io::{Cursor, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};

use super::*;

const SYSTEM: &[u8] = b"cos\nsystem\n(S'id'\ntR.";
const BINARY: &[u8] = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.";
const PLAIN: &[u8] = b"\x80\x04\x95\x09\0\0\0\0\0\0\0}\x94\x8c\x01aK\x01s.";
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
const LAMBDA: &[u8] =
    br#"{"class_name":"Functional","config":{"layers":[{"class_name" : "Lambda"}]}}"#;

fn kinds_with(name: &str, content: &[u8], scrutiny: Scrutiny) -> Vec<(FindingKind, String)> {
    let content = content.to_vec();
    let mut budget = ScanBudget::new(scrutiny);
    let outcome = scan_window(name, Window::of_memory(&content), &mut budget).unwrap();
    outcome.findings.into_iter().map(|found| (found.kind, found.text)).collect()
}

fn kinds(name: &str, content: &[u8]) -> Vec<FindingKind> {
    kinds_with(name, content, Scrutiny::All).into_iter().map(|(kind, _)| kind).collect()
}

fn zip_with(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(entries, CompressionMethod::Deflated)
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in entries {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend(header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn zlib(content: &[u8], level: u32) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut writer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::best());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn lz4(content: &[u8]) -> Vec<u8> {
    let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `pickle` packed by Python's lzma in its two forms.
fn xz_of_system() -> [Vec<u8>; 2] {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    };
    [hex(XZ), hex(LZMA)]
}

const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a3010014636f730a73797374656d0a2853276964270a74522e00000000b58c30ae0b9516ac00012d152f0b716d1fb6f37d010000000004595a";
const LZMA: &str =
    "5d00008000ffffffffffffffff00319bcac6b27c65dfdf91599fb1d67e2d716a0571564cf2f32897ffff98ce0000";

fn array(descr: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
}

/// Every packer around a content.
fn packed(content: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip(content)),
        ("zlib 0", zlib(content, 0)),
        ("zlib 6", zlib(content, 6)),
        ("zlib 9", zlib(content, 9)),
        ("bzip2", bzip2(content)),
        ("lz4", lz4(content)),
        ("zstd", zstd(content)),
        ("gzip twice", gzip(&gzip(content))),
        ("gzip after gzip", [gzip(b""), gzip(content)].concat()),
        ("old joblib", [b"ZF0x1a               ", &zlib(content, 6)[..]].concat()),
    ]
}

#[test]
fn a_pickle_is_found_behind_every_packer_under_any_name() {
    for pickle in [SYSTEM, BINARY, PLAIN] {
        for (packer, content) in packed(pickle) {
            for name in ["m.pkl", "weights.bin", "m.safetensors"] {
                assert_eq!(
                    kinds(name, &content),
                    [FindingKind::RunsCode],
                    "{packer} {name} {pickle:?}"
                );
            }
        }
    }
    for content in xz_of_system() {
        assert_eq!(kinds("m.bin", &content), [FindingKind::RunsCode], "{content:?}");
    }
}

#[test]
fn a_pickle_is_found_in_every_archive() {
    for member in
        [SYSTEM.to_vec(), BINARY.to_vec(), PLAIN.to_vec(), gzip(SYSTEM), array("'|O'", PLAIN)]
    {
        let entries: [(&str, &[u8]); 2] = [("a/readme.txt", b"hello"), ("a/w.bin", &member)];
        let archives = [
            zip(&entries),
            zip_with(&entries, CompressionMethod::Stored),
            tar(&entries),
            gzip(&tar(&entries)),
            bzip2(&tar(&entries)),
            zstd(&tar(&entries)),
            zip(&[("inner.pt", &zip(&entries))]),
            tar(&[("x", b"1"), ("inner.zip", &zip(&entries))]),
            gzip(&tar(&[("inner.tar", &tar(&entries))])),
            [b"#!/usr/bin/env python3\n", &zip(&entries)[..]].concat(),
        ];
        for (index, archive) in archives.iter().enumerate() {
            let found = kinds_with("model", archive, Scrutiny::All);
            assert_eq!(found.len(), 1, "{index}: {found:?}");
            assert_eq!(found[0].0, FindingKind::RunsCode, "{index}: {found:?}");
            assert!(found[0].1.contains("a/w.bin"), "{index}: {found:?}");
        }
    }
}

#[test]
fn arrays_of_objects_run_code_and_others_do_not() {
    for descr in ["'|O'", "\"|O\"", "'O'", "'object'", "[('a', '<f4'), ('b', '|O')]", "'\\x4f'"] {
        let content = array(descr, PLAIN);
        assert_eq!(kinds("a.npy", &content), [FindingKind::RunsCode], "{descr}");
        let npz = zip(&[("a.npy", &content)]);
        assert_eq!(kinds("a.npz", &npz), [FindingKind::RunsCode], "{descr}");
    }
    for descr in ["'<f4'", "[('O', '<f4')]", "'<U3'"] {
        assert_eq!(kinds("a.npy", &array(descr, &[1, 2, 3, 4])), [], "{descr}");
    }
}

#[test]
fn layers_with_code_are_found_wherever_the_configuration_is() {
    let hdf5 = [b"\x89HDF\r\n\x1a\n", &[0; 2000][..], LAMBDA, &[0; 100]].concat();
    let late = [b"\x89HDF\r\n\x1a\n", &vec![0; 3 << 20][..], LAMBDA, &[0; 100]].concat();
    let keras =
        zip(&[("metadata.json", b"{}"), ("config.json", LAMBDA), ("model.weights.h5", b"x")]);
    for (name, content) in [
        ("config.json", LAMBDA.to_vec()),
        ("m.keras", keras.clone()),
        ("m.bin", keras.clone()),
        ("m.zip", zip(&[("a/m.keras", &keras)])),
        ("m.tgz", gzip(&tar(&[("a/m.keras", &keras)]))),
        ("m.h5", hdf5.clone()),
        ("m.weights", zip(&[("m.h5", &hdf5)])),
        ("late.h5", late),
        ("tables.h5", [HDF5, &[0; 200], SYSTEM, &[0; 200]].concat()),
    ] {
        assert_eq!(kinds(name, &content), [FindingKind::RunsCode], "{name}");
    }
}

#[test]
fn torch_archives_are_code_unless_they_hold_tensors_alone() {
    let tensors = b"\x80\x02}q\0X\x01\0\0\0wq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\0\0\0storageq\x03ctorch\nFloatStorage\nq\x04tQK\0))\x89ccollections\nOrderedDict\nq\x05)RtRq\x06s.";
    let archive = |pickle: &[u8]| {
        let entries: [(&str, &[u8]); 3] =
            [("m/data.pkl", pickle), ("m/version", b"3"), ("m/data/0", PLAIN)];
        zip_with(&entries, CompressionMethod::Stored)
    };
    let weights = archive(tensors);
    for content in [weights.clone(), zip(&[("a.pt", &weights)]), tar(&[("a.pt", &weights)])] {
        assert_eq!(kinds("m.pt", &content), []);
    }
    for pickle in [SYSTEM, BINARY, PLAIN, &[tensors, SYSTEM].concat()[1..]] {
        assert_eq!(kinds("m.pt", &archive(pickle)), [FindingKind::RunsCode], "{pickle:?}");
    }
    let script: [(&str, &[u8]); 3] =
        [("m/data.pkl", tensors), ("m/version", b"3"), ("m/code/__torch__.py", b"def f(): pass")];
    assert_eq!(kinds("m.pt", &zip(&script)), [FindingKind::RunsCode]);
}

#[test]
fn a_file_of_keras_without_weights_is_incomplete() {
    let plain = br#"{"class_name":"Sequential"}"#;
    let keras = zip(&[("metadata.json", b"{}"), ("config.json", plain)]);
    assert_eq!(kinds("m.keras", &keras), [FindingKind::Incomplete]);
}

#[test]
fn what_cannot_be_looked_into_is_a_finding() {
    let mut encrypted = zip(&[("a.pkl", PLAIN)]);
    let entry = memmem::rfind(&encrypted, b"PK\x01\x02").unwrap();
    encrypted[entry + 8] |= 1;
    let mut unknown = zip(&[("a.pkl", PLAIN)]);
    unknown[entry + 10] = 97;
    let mut misplaced = zip(&[("a.pkl", PLAIN)]);
    misplaced[entry + 42] = 7;
    let deep = (0..DEPTH + 1).fold(PLAIN.to_vec(), |inner, _| zip(&[("a", &inner)]));
    for (name, content) in [
        ("encrypted", encrypted),
        ("unknown method", unknown),
        ("misplaced", misplaced),
        ("deep", deep),
        ("7z", b"7z\xbc\xaf\x27\x1c and more".to_vec()),
        ("rar", b"Rar!\x1a\x07\x01\0".to_vec()),
        ("lzip", b"LZIP\x01\x0c".to_vec()),
    ] {
        assert_eq!(kinds(name, &content), [FindingKind::Uninspected], "{name}");
    }
    let cut = gzip(&[PLAIN, &(0..=255).cycle().take(90_000).collect::<Vec<u8>>()[..]].concat());
    assert!(kinds("cut.gz", &cut[..cut.len() / 2]).contains(&FindingKind::RunsCode));
    let cut = gzip(&(0..=255).cycle().take(900).collect::<Vec<u8>>());
    assert_eq!(kinds("cut.gz", &cut[..cut.len() / 2]), [FindingKind::Truncated]);
}

#[test]
fn a_bomb_is_unpacked_up_to_a_bound() {
    let zeros = vec![0; 1 << 20];
    let content = gzip(&tar(&[("z", &zeros), ("z", &zeros), ("z", &zeros)]));
    let mut budget = ScanBudget { bytes: 2 << 20, entries: 10, scrutiny: Scrutiny::Quick };
    let outcome = scan_window("b.tgz", Window::of_memory(&content), &mut budget).unwrap();
    assert!(outcome.is_partial && outcome.findings.is_empty(), "{outcome:?}");
    let mut budget = ScanBudget { bytes: 1 << 20, entries: 10, scrutiny: Scrutiny::All };
    let outcome = scan_window("b.tgz", Window::of_memory(&content), &mut budget).unwrap();
    assert!(outcome.findings.iter().any(|found| found.kind == FindingKind::Uninspected));
    let many = tar(&(0..30).map(|_| ("z", &b"x"[..])).collect::<Vec<_>>());
    let mut budget = ScanBudget { bytes: 1 << 20, entries: 10, scrutiny: Scrutiny::All };
    let outcome = scan_window("many.tar", Window::of_memory(&many), &mut budget).unwrap();
    assert_eq!(outcome.findings.len(), 1, "{outcome:?}");
}

#[test]
fn plain_data_is_left_alone() {
    let noise: Vec<u8> = (0_u64..300_000)
        .map(|at| u8::try_from((at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29) & 0xff).unwrap())
        .collect();
    let header = br#"{"w":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}"#;
    let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &[7; 9]].concat();
    for (name, content) in [
        ("noise.bin", noise.clone()),
        ("weights.pkl.txt", b"(c) 2026\ncat\ndog\n".to_vec()),
        ("config.json", br#"{"architectures":["X"],"model_type":"x"}"#.to_vec()),
        ("m.safetensors", safetensors.clone()),
        ("m.zip", zip(&[("m.safetensors", &safetensors), ("n.bin", &noise)])),
        ("m.tgz", gzip(&tar(&[("m.safetensors", &safetensors), ("n.bin", &noise)]))),
        ("a.npz", zip(&[("a.npy", &array("'|u1'", b"x"))])),
        ("h.h5", [b"\x89HDF\r\n\x1a\n", &noise[..]].concat()),
        ("scalar.h5", [HDF5, b"\0cnumpy.core.multiarray\nscalar\n(Vx\ntR.", &noise].concat()),
        ("empty", Vec::new()),
        ("empty.gz", gzip(b"")),
    ] {
        assert_eq!(kinds_with(name, &content, Scrutiny::All), [], "{name}");
    }
}
