//! Requests and replies as bytes: the fixed-width forms of Kafka's protocol, which every version
//! that is asked for here has (none of them is a "flexible" one).

/// A request that is being written. Strings that are longer than the protocol takes are cut: names
/// of topics and groups never are.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// With the request header, version 1.
    pub fn new(key: i16, version: i16, correlation: i32) -> Self {
        let request = Self { bytes: vec![0; 4] };
        request.int16(key).int16(version).int32(correlation).string("dwctl-doctor")
    }

    pub fn int8(mut self, value: i8) -> Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub fn int16(mut self, value: i16) -> Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub fn int32(mut self, value: i32) -> Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub fn boolean(self, value: bool) -> Self {
        self.int8(value.into())
    }

    pub fn string(mut self, text: &str) -> Self {
        let length = i16::try_from(text.len()).unwrap_or(i16::MAX);
        self = self.int16(length);
        self.bytes.extend(text.bytes().take(length.unsigned_abs().into()));
        self
    }

    pub fn bytes(mut self, value: &[u8]) -> Self {
        self = self.count(value.len());
        self.bytes.extend(value);
        self
    }

    /// The length that stands before an array.
    pub fn count(self, length: usize) -> Self {
        self.int32(i32::try_from(length).unwrap_or(i32::MAX))
    }

    pub fn strings<'a>(self, all: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let request = self.count(all.len());
        all.fold(request, Request::string)
    }

    /// With its length before it.
    pub fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len() - 4).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }
}

/// A reply that ends before what it must hold, or says what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A reply that is being read, behind its length and its correlation id.
#[derive(Debug)]
pub(super) struct Reply {
    bytes: Vec<u8>,
    at: usize,
}

impl Reply {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let taken = self.slice(N)?.try_into();
        taken.map_err(|_| Malformed)
    }

    fn slice(&mut self, length: usize) -> Result<&[u8], Malformed> {
        let end = self.at.checked_add(length).ok_or(Malformed)?;
        let slice = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(slice)
    }

    pub fn int8(&mut self) -> Result<i8, Malformed> {
        self.take().map(i8::from_be_bytes)
    }

    pub fn int16(&mut self) -> Result<i16, Malformed> {
        self.take().map(i16::from_be_bytes)
    }

    pub fn int32(&mut self) -> Result<i32, Malformed> {
        self.take().map(i32::from_be_bytes)
    }

    pub fn boolean(&mut self) -> Result<bool, Malformed> {
        Ok(self.int8()? != 0)
    }

    /// `None` where the length is −1.
    pub fn optional_string(&mut self) -> Result<Option<String>, Malformed> {
        let Ok(length) = usize::try_from(self.int16()?) else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(self.slice(length)?).into_owned()))
    }

    pub fn string(&mut self) -> Result<String, Malformed> {
        self.optional_string()?.ok_or(Malformed)
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Malformed> {
        let length = usize::try_from(self.int32()?).unwrap_or(0);
        Ok(self.slice(length)?.to_vec())
    }

    /// Each element of an array; an array that is not there has none.
    pub fn each<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        // What a reply claims is not believed: the elements are counted by reading them.
        let length = self.int32()?.max(0);
        (0..length).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = Request::new(3, 8, 7)
            .strings(["a", "bc"].into_iter())
            .boolean(true)
            .bytes(b"xyz")
            .finish();
        assert_eq!(bytes[..4], u32::try_from(bytes.len() - 4).unwrap().to_be_bytes());
        let mut reply = Reply::new(bytes[4..].to_vec());
        assert_eq!((reply.int16(), reply.int16(), reply.int32()), (Ok(3), Ok(8), Ok(7)));
        assert_eq!(reply.string().unwrap(), "dwctl-doctor");
        assert_eq!(reply.each(Reply::string).unwrap(), ["a", "bc"]);
        assert_eq!((reply.boolean(), reply.bytes()), (Ok(true), Ok(b"xyz".to_vec())));
        assert_eq!(reply.int8(), Err(Malformed));
    }

    #[test]
    fn a_reply_that_claims_more_than_it_holds_is_malformed() {
        for bytes in [&[0x7f, 0xff, 0xff, 0xff, 0][..], &[0, 0, 0, 2, 0, 1], &[0]] {
            assert_eq!(Reply::new(bytes.to_vec()).each(Reply::string), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(Reply::new(vec![0xff, 0xff]).optional_string(), Ok(None));
    }
}
