//! As much of HTTP/1.1 as a client of one's own daemon needs: see RFC 9112.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

/// The longest head of an answer.
const HEAD_MAX: usize = 16 * 1024;

/// An answer whose body is still to be read.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Body,
}

/// The body of an answer, whatever its framing.
pub(super) struct Body {
    reader: BufReader<UnixStream>,
    framing: Framing,
}

enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// So many bytes are left of this chunk; none before the first.
    Chunked { left: u64, begun: bool },
    /// Over.
    Done,
}

/// Sends a request, waits with `answered` for the first byte of the answer, and reads its head.
pub(super) fn exchange(
    mut socket: UnixStream,
    method: &str,
    target: &str,
    body: Option<&[u8]>,
    headers: &[(&str, &str)],
    answered: impl FnOnce(&UnixStream) -> io::Result<()>,
) -> io::Result<Response> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\n");
    if let Some(body) = body {
        request.push_str("Content-Type: application/json\r\n");
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    socket.write_all(&bytes)?;
    answered(&socket)?;
    read_head(BufReader::new(socket))
}

fn read_head(mut reader: BufReader<UnixStream>) -> io::Result<Response> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the head is too long",
            ));
        }
        let before = head.len();
        reader
            .by_ref()
            .take(HEAD_MAX as u64)
            .read_until(b'\n', &mut head)?;
        if head.len() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    parsed
        .parse(&head)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
    let status = parsed.code.unwrap_or(0);
    let value = |name: &str| {
        parsed
            .headers
            .iter()
            .find(|h| h.name.eq_ignore_ascii_case(name))
            .and_then(|h| std::str::from_utf8(h.value).ok())
    };
    let framing = if value("transfer-encoding").is_some_and(|v| v.contains("chunked")) {
        Framing::Chunked {
            left: 0,
            begun: false,
        }
    } else {
        Framing::Length(
            value("content-length")
                .and_then(|v| v.parse().ok())
                .unwrap_or(0),
        )
    };
    Ok(Response {
        status,
        body: Body { reader, framing },
    })
}

impl Body {
    /// Begins the next chunk; false when there is none.
    fn next_chunk(&mut self, begun: bool) -> io::Result<u64> {
        let mut line = String::new();
        if begun {
            // The line end behind the chunk before.
            self.reader.read_line(&mut line)?;
            line.clear();
        }
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let digits = line.trim_end().split(';').next().unwrap_or("");
        u64::from_str_radix(digits, 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk without its size"))
    }

    /// The socket below, to end a read that waits.
    pub(super) fn socket(&self) -> &UnixStream {
        self.reader.get_ref()
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.framing {
                Framing::Done | Framing::Length(0) => return Ok(0),
                Framing::Chunked { left: 0, begun } => {
                    let left = self.next_chunk(begun)?;
                    self.framing = if left == 0 {
                        Framing::Done
                    } else {
                        Framing::Chunked { left, begun: true }
                    };
                }
                Framing::Length(left) | Framing::Chunked { left, .. } => {
                    let most = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len());
                    let length = self.reader.read(&mut buffer[..most])?;
                    if length == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    let left = left - length as u64;
                    self.framing = match self.framing {
                        Framing::Chunked { .. } => Framing::Chunked { left, begun: true },
                        Framing::Length(_) | Framing::Done => Framing::Length(left),
                    };
                    return Ok(length);
                }
            }
        }
    }
}

/// Percent-encodes all but the unreserved characters and the comma; see RFC 3986, section 2.3.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_an_address_is_quoted() {
        assert_eq!(quote("a,shop/api*?"), "a,shop%2Fapi*%3F");
        assert_eq!(quote("ä&="), "%C3%A4%26%3D");
    }

    fn answer(bytes: &'static [u8]) -> io::Result<(u16, String)> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut writer = theirs.try_clone().unwrap();
        writer.write_all(bytes).unwrap();
        drop((writer, theirs));
        let mut response = read_head(BufReader::new(ours))?;
        let mut text = String::new();
        response.body.read_to_string(&mut text)?;
        Ok((response.status, text))
    }

    #[test]
    fn both_framings_are_read_whole_and_a_cut_one_is_no_short_one() {
        let whole = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        assert_eq!(whole, (200, "hello".into()));
        let chunked = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";
        assert_eq!(answer(chunked).unwrap(), (404, "hello".into()));
        for cut in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"garbage\r\n\r\n",
        ] {
            assert!(answer(cut).is_err(), "{cut:?}");
        }
    }
}
