//! What a Produce request brings to each partition, read at the front so that somebody can be warned:
//! the mock broker drops the oldest records of a full partition without a word.

/// Kafka's key of Produce requests.
const PRODUCE: i16 = 0;
/// The first version with the id of a transaction.
const FIRST_WITH_TRANSACTION: i16 = 3;
/// The first version with lengths of variable size and tagged fields.
const FIRST_FLEXIBLE: i16 = 9;

/// Bytes that are on their way to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub topic: String,
    pub partition: i32,
    pub bytes: u64,
}

/// The loads that a frame tells of, as far as `head` of it is here: the size of records stands before
/// them, so that of the first partition is always told, and librdkafka names one only. Nothing where
/// the frame is another request, or none.
pub(super) fn loads(head: &[u8]) -> Vec<Load> {
    let mut found = Vec::new();
    // Whatever ends the walk, what was found before stands.
    let _ = walk(head, &mut found);
    found
}

fn walk(head: &[u8], found: &mut Vec<Load>) -> Option<()> {
    let mut cursor = Cursor { rest: head, is_flexible: false };
    if cursor.int16()? != PRODUCE {
        return None;
    }
    let version = cursor.int16()?;
    cursor.take(4)?; // correlation id
    let client = cursor.int16()?;
    cursor.take(usize::try_from(client).unwrap_or(0))?;
    cursor.is_flexible = version >= FIRST_FLEXIBLE;
    cursor.tags()?;
    if version >= FIRST_WITH_TRANSACTION {
        cursor.text()?;
    }
    cursor.take(2 + 4)?; // acknowledgements, time limit
    for _ in 0..cursor.count()? {
        let topic = String::from_utf8(cursor.text()?.to_vec()).ok()?;
        for _ in 0..cursor.count()? {
            let partition = cursor.int32()?;
            let size = cursor.count()?;
            found.push(Load { topic: topic.clone(), partition, bytes: size as u64 });
            cursor.take(size)?;
            cursor.tags()?;
        }
        cursor.tags()?;
    }
    Some(())
}

struct Cursor<'a> {
    rest: &'a [u8],
    is_flexible: bool,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn int16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn int32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The length of an array or of bytes; that of null is 0.
    fn count(&mut self) -> Option<usize> {
        if self.is_flexible {
            Some(self.varint()?.saturating_sub(1))
        } else {
            Some(usize::try_from(self.int32()?).unwrap_or(0))
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = if self.is_flexible {
            self.varint()?.saturating_sub(1)
        } else {
            usize::try_from(self.int16()?).unwrap_or(0)
        };
        self.take(length)
    }

    /// Passes over tagged fields, where the version has them.
    fn tags(&mut self) -> Option<()> {
        if self.is_flexible {
            for _ in 0..self.varint()? {
                self.varint()?;
                let length = self.varint()?;
                self.take(length)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two topics, the first with two partitions, each with so many bytes.
    fn request(version: i16, sizes: [usize; 3]) -> Vec<u8> {
        let is_flexible = version >= FIRST_FLEXIBLE;
        let mut out = Vec::new();
        let length = |out: &mut Vec<u8>, length: usize, is_text: bool| match (is_flexible, is_text)
        {
            (true, _) => {
                let mut left = length + 1;
                while left >= 0x80 {
                    out.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
                    left >>= 7;
                }
                out.push(u8::try_from(left).unwrap());
            }
            (false, true) => out.extend(i16::try_from(length).unwrap().to_be_bytes()),
            (false, false) => out.extend(i32::try_from(length).unwrap().to_be_bytes()),
        };
        let tags = |out: &mut Vec<u8>| {
            if is_flexible {
                out.push(0);
            }
        };
        out.extend(PRODUCE.to_be_bytes());
        out.extend(version.to_be_bytes());
        out.extend(7_i32.to_be_bytes());
        out.extend(3_i16.to_be_bytes());
        out.extend(b"abc");
        tags(&mut out);
        if version >= FIRST_WITH_TRANSACTION {
            match is_flexible {
                true => out.push(0),
                false => out.extend((-1_i16).to_be_bytes()),
            }
        }
        out.extend([0, 1]);
        out.extend(30_000_i32.to_be_bytes());
        length(&mut out, 2, false);
        for (topic, partitions) in [("one", &sizes[..2]), ("two", &sizes[2..])] {
            length(&mut out, topic.len(), true);
            out.extend(topic.as_bytes());
            length(&mut out, partitions.len(), false);
            for (index, size) in (0_i32..).zip(partitions) {
                out.extend(index.to_be_bytes());
                length(&mut out, *size, false);
                out.extend(vec![b'r'; *size]);
                tags(&mut out);
            }
            tags(&mut out);
        }
        out
    }

    fn load(topic: &str, partition: i32, bytes: u64) -> Load {
        Load { topic: topic.to_owned(), partition, bytes }
    }

    #[test]
    fn every_version_tells_its_loads() {
        for version in 0..=10 {
            assert_eq!(
                loads(&request(version, [5, 300, 70_000])),
                [load("one", 0, 5), load("one", 1, 300), load("two", 0, 70_000)],
                "version {version}"
            );
        }
    }

    #[test]
    fn of_a_frame_that_is_here_in_part_the_first_loads_are_told() {
        for version in [2, 7, 10] {
            let whole = request(version, [100_000, 5, 5]);
            assert_eq!(loads(&whole[..1_000]), [load("one", 0, 100_000)], "version {version}");
            for end in 0..40 {
                assert!(loads(&whole[..end]).len() <= 1);
            }
        }
    }

    #[test]
    fn another_request_and_nonsense_tell_of_none() {
        for frame in [&[0, 1, 0, 11][..], &[0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff], &[]] {
            assert_eq!(loads(frame), []);
        }
    }
}
