//! The wire format: each message as `<` hex digits `>`, and nothing else.

/// The longest message that can-utils' `isotpserver` takes and gives.
pub const MAX_MESSAGE: usize = 6000;

/// Takes messages out of a stream of bytes, in pieces of any size.
///
/// | state | byte | next |
/// |---|---|---|
/// | outside | `<` | a message begins |
/// | outside | any other | outside, it is ignored |
/// | in a message, wrong | any, after one more than the digits of the longest message | outside, nothing is told |
/// | in a message | hex digit | in it, one digit more |
/// | in a message | `>` | outside; the message is complete if it has bytes and whole ones |
/// | in a message | any other | wrong |
/// | wrong | `>` | outside, nothing is told |
/// | wrong | any other | wrong |
///
/// That is what the real server accepts, and where it finds its way back into the stream, but for bytes that
/// its scanner reads leniently (`<1g>`, blanks between digits): they are dropped here.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    message: Vec<u8>,
    /// Bytes since the `<`.
    taken: usize,
    max: usize,
    dropped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    /// In a message, with the first digit of a byte if it has come.
    Inside(Option<u8>),
    /// In what is no message.
    Wrong,
}

impl Decoder {
    /// Takes messages of up to `max` bytes. No more memory than twice that is used.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self {
            state: State::Outside,
            message: Vec::new(),
            taken: 0,
            max,
            dropped: 0,
        }
    }

    /// Takes in the first of `bytes`, up to the end of a message; gives that message and how many bytes
    /// it took. Without a message it took them all.
    pub fn decode(&mut self, bytes: &[u8]) -> (usize, Option<&[u8]>) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.take(*byte) {
                return (at + 1, Some(&self.message));
            }
        }
        (bytes.len(), None)
    }

    /// How many messages were too long or no messages.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a message is complete with this byte.
    fn take(&mut self, byte: u8) -> bool {
        if self.state == State::Outside {
            if byte == b'<' {
                self.message.clear();
                self.taken = 0;
                self.state = State::Inside(None);
            }
            return false;
        }
        if self.taken > self.max.saturating_mul(2) {
            // the byte is lost with those before it, whatever it is
            self.state = self.drop_message();
            return false;
        }
        self.taken += 1;
        self.state = match (self.state, byte) {
            (State::Inside(None), b'>') if !self.message.is_empty() => {
                self.state = State::Outside;
                return true;
            }
            (_, b'>') => self.drop_message(),
            (State::Inside(half), byte) => match (digit(byte), half) {
                (Some(low), Some(high)) => {
                    self.message.push(high << 4 | low);
                    State::Inside(None)
                }
                (Some(high), None) => State::Inside(Some(high)),
                (None, _) => State::Wrong,
            },
            (state, _) => state,
        };
        false
    }

    const fn drop_message(&mut self) -> State {
        self.dropped = self.dropped.saturating_add(1);
        State::Outside
    }
}

/// Appends a message to `out` as it goes over the wire.
pub fn encode(message: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    out.reserve(2 * message.len() + 3);
    out.push(b'<');
    for byte in message {
        out.extend([digit(byte >> 4), digit(byte & 0xF)]);
    }
    out.extend(b">\n");
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(decoder: &mut Decoder, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let (used, message) = decoder.decode(bytes);
            messages.extend(message.map(<[u8]>::to_vec));
            bytes = &bytes[used..];
        }
        messages
    }

    #[test]
    fn the_lines_that_were_tried_with_the_real_server() {
        for (line, messages) in [
            ("<0102>", &[&[1, 2][..]][..]),
            ("<aB>", &[&[0xAB]]),
            ("xx<0102>yy\n<03>", &[&[1, 2], &[3]]),
            ("<>", &[]),
            ("<012>", &[]),
            ("<zz>", &[]),
            ("<01<02>", &[]),
            ("<<0102>", &[]),
            ("<01\n2>", &[]),
            ("<01\n02>", &[]),
            // lenient there, dropped here
            ("<1g>", &[]),
            ("<01 2>", &[]),
            ("<01<02><03>", &[&[3]]),
            (">01><04>", &[&[4]]),
        ] {
            let mut decoder = Decoder::new(MAX_MESSAGE);
            assert_eq!(all(&mut decoder, line.as_bytes()), messages, "{line:?}");
        }
    }

    /// As the real server was seen to do, and is written: a message may have one byte more than it may hold,
    /// and the next is lost with it, whatever it is.
    #[test]
    fn what_is_too_long_ends_where_the_real_server_ends_it() {
        for (max, line, messages) in [
            (1, "<11><a2>", &[&[0x11][..], &[0xA2]][..]),
            (1, "<111><a2>", &[&[0xA2]]),
            (1, "<1111><a2>", &[&[0xA2]]),
            (1, "<111<a2>", &[]),
            (1, "<1111<a2>", &[&[0xA2]]),
            (1, "<F<1g<FF>", &[&[0xFF]]),
            (1, "<F<1<FF>", &[]),
            (1, "<zzz><a2>", &[&[0xA2]]),
            (1, "<zzz<a2>", &[]),
            (1, "<zzzz<a2>", &[&[0xA2]]),
            (0, "<<<>", &[]),
        ] {
            let mut decoder = Decoder::new(max);
            assert_eq!(all(&mut decoder, line.as_bytes()), messages, "{line:?}");
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_same_messages() {
        let text = b"--<0102>\n<zz><><03><0405060708090a0B0c>\n<<9>>";
        let whole = all(&mut Decoder::new(8), text);
        assert_eq!(whole, [&[1, 2][..], &[3]]);
        for size in 1..text.len() {
            let mut decoder = Decoder::new(8);
            let pieces: Vec<_> = text
                .chunks(size)
                .flat_map(|piece| all(&mut decoder, piece))
                .collect();
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
    }

    #[test]
    fn megabytes_without_an_end_take_no_memory_and_hide_nothing_behind_them() {
        for noise in [b'0', b'x', b'<', b'>'] {
            let mut decoder = Decoder::new(MAX_MESSAGE);
            let begin: &[u8] = b"<";
            assert!(all(&mut decoder, begin).is_empty());
            for _ in 0..1000 {
                assert!(all(&mut decoder, &[noise; 4096]).is_empty());
            }
            assert!(decoder.message.capacity() <= 2 * MAX_MESSAGE);
            all(&mut decoder, b">");
            assert_eq!(all(&mut decoder, b"<0102>"), [[1, 2]], "after {noise}");
        }
    }

    #[test]
    fn the_longest_message_passes_and_one_byte_more_does_not() {
        for (len, passes) in [(MAX_MESSAGE, true), (MAX_MESSAGE + 1, false)] {
            let (mut decoder, mut text) = (Decoder::new(MAX_MESSAGE), Vec::new());
            encode(&vec![0x5A; len], &mut text);
            encode(&[7], &mut text);
            let messages = all(&mut decoder, &text);
            assert_eq!(messages.len(), 1 + usize::from(passes));
            assert_eq!(messages.last(), Some(&vec![7]));
            assert_eq!(decoder.dropped(), u64::from(!passes));
        }
    }

    #[test]
    fn there_may_be_no_longest_message() {
        let mut decoder = Decoder::new(usize::MAX);
        assert_eq!(all(&mut decoder, b"<0102>"), [[1, 2]]);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut text = Vec::new();
        let every: Vec<u8> = (0..=255).collect();
        encode(&every, &mut text);
        assert!(text.starts_with(b"<000102") && text.ends_with(b"FDFEFF>\n"));
        assert_eq!(all(&mut Decoder::new(MAX_MESSAGE), &text), [every]);
    }
}
