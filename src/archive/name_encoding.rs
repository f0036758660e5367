//! Names of zip entries that are not marked as UTF-8 and are it all the same, as macOS writes them:
//! Python's zipfile decodes them as code page 437, others as what they are.

/// The upper half of code page 437.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Bit 11 of an entry's flags: its name is UTF-8 (APPNOTE 4.4.4).
const UTF8_FLAG: u16 = 1 << 11;

/// Returns the name that Python's zipfile gives an entry, if that is not the UTF-8 that it is.
#[must_use]
pub fn python_name(raw: &[u8], flags: u16) -> Option<String> {
    if flags & UTF8_FLAG != 0 || raw.is_ascii() || std::str::from_utf8(raw).is_err() {
        return None;
    }
    let upper: Vec<char> = UPPER.chars().collect();
    let decode = |byte: &u8| match byte.checked_sub(0x80) {
        None => Some(char::from(*byte)),
        Some(place) => upper.get(usize::from(place)).copied(),
    };
    raw.iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_the_flag_is_what_python_reads() {
        assert_eq!(UPPER.chars().count(), 128);
        // As `bytes.decode("cp437")` has them.
        for (name, python) in [("é.pt", "├⌐.pt"), ("μ", "╬╝"), ("模", "µ¿í"), ("ÿ\u{a0}", "├┐┬á")]
        {
            assert_eq!(python_name(name.as_bytes(), 0).as_deref(), Some(python));
            assert_eq!(python_name(name.as_bytes(), UTF8_FLAG), None);
        }
        assert_eq!(python_name(b"plain", 0), None);
        // No UTF-8: every reader takes the code page.
        assert_eq!(python_name(b"\x82", 0), None);
    }
}
