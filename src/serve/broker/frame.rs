//! The one thing that the front changes: how long a Fetch may be held. The mock broker answers an
//! empty fetch only when that time is over, whatever arrives meanwhile; a short time lets any
//! client see a record within milliseconds.

/// Milliseconds that a Fetch may wait for records. 10 gives a median of about 5 ms from send to
/// read, for a few percent of a core per idle consumer.
pub(super) const LONGEST_WAIT: i32 = 10;

/// Kafka's key of Fetch requests.
const FETCH: i16 = 1;
/// The last version whose body starts with the replica's id.
const LAST_WITH_REPLICA: i16 = 14;
/// The first version with tagged fields behind the header.
const FIRST_FLEXIBLE: i16 = 12;

/// Whether a frame may hold a Fetch; `head` is what follows the length.
pub(super) fn is_fetch(head: &[u8]) -> bool {
    i16_at(head, 0) == Some(FETCH)
}

/// Shortens the wait of a Fetch request in place; any other frame, and one that is cut off or
/// malformed, stays as it is: the broker answers it as it answers nonsense.
pub(super) fn cap_wait(frame: &mut [u8]) {
    if let Some(at) = wait_offset(frame)
        && i32_at(frame, at).is_some_and(|wait| wait > LONGEST_WAIT)
    {
        frame[at..at + 4].copy_from_slice(&LONGEST_WAIT.to_be_bytes());
    }
}

/// Request header: key (2), version (2), correlation id (4), client id (a nullable string), from
/// version 12 on tagged fields; then the replica's id up to version 14, then the wait.
fn wait_offset(frame: &[u8]) -> Option<usize> {
    let version = i16_at(frame, 2)?;
    let client_id = i16_at(frame, 8)?;
    let mut at = 10 + usize::try_from(client_id).unwrap_or(0);
    if version >= FIRST_FLEXIBLE {
        // Clients send no tagged fields in a request's header; with some, the frame is left alone.
        if *frame.get(at)? != 0 {
            return None;
        }
        at += 1;
    }
    Some(if version <= LAST_WITH_REPLICA { at + 4 } else { at })
}

fn i16_at(bytes: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(version: i16, wait: i32) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.extend(FETCH.to_be_bytes());
        frame.extend(version.to_be_bytes());
        frame.extend(7_i32.to_be_bytes());
        frame.extend(3_i16.to_be_bytes());
        frame.extend(b"abc");
        if version >= FIRST_FLEXIBLE {
            frame.push(0);
        }
        if version <= LAST_WITH_REPLICA {
            frame.extend((-1_i32).to_be_bytes());
        }
        frame.extend(wait.to_be_bytes());
        frame.extend(1_i32.to_be_bytes());
        frame
    }

    #[test]
    fn the_wait_is_shortened_in_every_version() {
        for version in 0..=16 {
            let mut frame = fetch(version, 500);
            cap_wait(&mut frame);
            assert_eq!(frame, fetch(version, LONGEST_WAIT), "version {version}");
        }
    }

    #[test]
    fn a_short_wait_and_a_cut_frame_stay_as_they_are() {
        for mut frame in [fetch(11, 3), fetch(11, 500)[..12].to_vec(), vec![0, 1], Vec::new()] {
            let before = frame.clone();
            cap_wait(&mut frame);
            assert_eq!(frame, before);
        }
        assert!(!is_fetch(&[0, 3, 0, 0]));
    }
}
