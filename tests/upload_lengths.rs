//! The length that is announced before the first byte is the length that is sent, for trees of all
//! kinds, stored and compressed.

use std::path::Path;

use dwctl::archive::{Packing, Payload, WalkOptions};

use crate::support::scale::scaled;

/// A linear congruential generator: trees that differ, the same on every run.
struct Lottery(u64);

impl Lottery {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// Sizes around those at which the reader, the buffers and the batches change their way.
const SIZES: [usize; 10] =
    [0, 1, 7, 1_000, 8_192, 262_144 - 40, 262_144, 1_048_576, 1_048_577, 3_000_000];

fn plant(root: &Path, lottery: &mut Lottery) {
    for index in 0..=lottery.below(12) {
        let deep = ["", "a/", "b/é/", "b/c d/e/"][usize::try_from(lottery.below(4)).unwrap()];
        let name = format!("{deep}f{index}-{}.bin", lottery.below(1_000));
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pick = usize::try_from(lottery.below(SIZES.len() as u64)).unwrap();
        // Large files are rarer: the test is about lengths, not about volume.
        let size = if lottery.below(4) == 0 { SIZES[pick] } else { SIZES[pick % 5] };
        let content = match lottery.below(3) {
            0 => vec![b'a' + u8::try_from(lottery.below(26)).unwrap(); size],
            1 => text(size, lottery),
            _ => vec![u8::try_from(lottery.below(32)).unwrap(); size],
        };
        std::fs::write(path, content).unwrap();
        // An empty folder is no entry.
        if lottery.below(6) == 0 {
            std::fs::create_dir_all(root.join(format!("{deep}empty-{index}"))).unwrap();
        }
    }
}

/// Text that does not come to next to nothing.
fn text(size: usize, lottery: &mut Lottery) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 24);
    while text.len() < size {
        text.extend(format!("{{\"w\": {}}}\n", lottery.below(1 << 31)).into_bytes());
    }
    text.truncate(size);
    text
}

fn sent(payload: &Payload) -> u64 {
    let mut feed = payload.open().unwrap();
    let mut bytes = 0;
    while let Some(chunk) = feed.chunks.blocking_recv() {
        bytes += chunk.unwrap().len() as u64;
    }
    assert_eq!(feed.outcome.join().unwrap().bytes, bytes);
    bytes
}

#[test]
fn the_announced_length_is_what_is_sent_of_any_tree() {
    let mut lottery = Lottery(42);
    let (mut stored_bytes, mut compressed_bytes) = (0, 0);
    for _ in 0..scaled(40, 1_000) {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &mut lottery);
        let payload =
            |packing| Payload::folder(folder.path(), &WalkOptions::default(), packing).unwrap();
        let (stored, compressed) = (payload(Packing::Stored), payload(Packing::Compressed));
        assert_eq!(sent(&stored), stored.length());
        assert_eq!(sent(&compressed), compressed.length());
        assert!(compressed.length() <= stored.length());
        stored_bytes += stored.length();
        compressed_bytes += compressed.length();
    }
    assert!(compressed_bytes < stored_bytes, "nothing was compressed");
}
