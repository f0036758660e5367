//! Members of a tar, by their headers.

/// Bytes of a header, and the unit that members are padded to.
pub(super) const BLOCK: u64 = 512;

/// What a header of a tar says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TarMember {
    pub name: String,
    pub size: u64,
    /// Whether it is a file; else a folder, a link, or a header for the next member.
    pub is_file: bool,
}

impl TarMember {
    /// Reads a header. None if it is no header, as the two blocks of zeros at the end.
    pub fn read(header: &[u8]) -> Option<Self> {
        let header = header.first_chunk::<512>()?;
        if number(&header[148..156])? != checksum(header) {
            return None;
        }
        let prefix = if header[257..].starts_with(b"ustar\0") {
            text(&header[345..500])
        } else {
            String::new()
        };
        let name = text(&header[..100]);
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        // Old writers mark a folder by its name alone. Links have no content whatever their size.
        let is_file = matches!(header[156], b'0' | 0 | b'7' | b'S') && !name.ends_with('/');
        let has_content = !matches!(header[156], b'1'..=b'6');
        let size = if has_content { number(&header[124..136])? } else { 0 };
        Some(Self { name, size, is_file })
    }

    /// Bytes to the next header.
    pub fn padded(&self) -> u64 {
        self.size.saturating_add(BLOCK - 1) / BLOCK * BLOCK
    }
}

fn text(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A number in octal digits, or in binary if the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (head, tail) = field.split_at(field.len() - 8.min(field.len()));
        let is_small = head.iter().all(|byte| matches!(byte, 0x80 | 0));
        let value = u64::from_be_bytes(*tail.first_chunk::<8>()?);
        return is_small.then_some(value & !(1 << 63));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    let digits = digits.split(['\0', ' ']).next().unwrap_or_default();
    u64::from_str_radix(digits, 8).ok()
}

/// The sum of a header's bytes with blanks in place of the sum.
fn checksum(header: &[u8; 512]) -> u64 {
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = header[148..156].iter().map(|byte| u64::from(*byte)).sum();
    sum - own + 8 * u64::from(b' ')
}

/// Whether a content begins with the header of a member.
pub(super) fn is_tar(head: &[u8]) -> bool {
    TarMember::read(head).is_some_and(|member| !member.name.is_empty())
}
