//! The codec of isotpserver: any bytes in any pieces give the messages that a plain reading gives.

use isotp_driver::isotpserver::{Decoder, encode};
use isotp_sim::Rng;
use isotp_testkit::Choose as _;

use crate::source::Source;
use crate::{Verdict, ensure};

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    // the shorter, the more of a text is too long
    let max = 1 + source.below(8) as usize;
    let mut cuts = Rng::new(source.below(1 << 16));
    let mut pieces = || 1 + cuts.below(20) as usize;
    let plain = source.below(2) == 0;
    let mut text = source.bytes(4096);
    if plain {
        text.iter_mut()
            .for_each(|byte| *byte = ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    }
    let whole = decode(max, &text, || text.len().max(1))?;
    let in_pieces = decode(max, &text, &mut pieces)?;
    ensure!(
        whole == in_pieces,
        "in pieces: {in_pieces:?}, expected {whole:?}"
    );
    let expected = read(&text, max);
    ensure!(
        whole == expected,
        "{:?}: {whole:?}, expected {expected:?}",
        String::from_utf8_lossy(&text)
    );
    again(max, &whole, &mut pieces)?;
    // any bytes, and not only such as were read, if they are not too many
    let messages: Vec<Vec<u8>> = text.chunks(max).map(<[u8]>::to_vec).collect();
    again(max, &messages, &mut pieces)
}

/// What is written is read again, whatever the case of its digits.
fn again(max: usize, messages: &[Vec<u8>], mut pieces: impl FnMut() -> usize) -> Verdict {
    let mut out = Vec::new();
    messages
        .iter()
        .for_each(|message| encode(message, &mut out));
    for text in [out.to_ascii_lowercase(), out] {
        let again = decode(max, &text, &mut pieces)?;
        ensure!(
            again == messages,
            "{messages:?} were written and read as {again:?}"
        );
    }
    Ok(())
}

fn decode(
    max: usize,
    mut text: &[u8],
    mut pieces: impl FnMut() -> usize,
) -> Result<Vec<Vec<u8>>, String> {
    let (mut decoder, mut messages) = (Decoder::new(max), Vec::new());
    while !text.is_empty() {
        let (mut bytes, rest) = text.split_at(pieces().min(text.len()));
        text = rest;
        while !bytes.is_empty() {
            let (used, message) = decoder.decode(bytes);
            ensure!(
                0 < used && used <= bytes.len(),
                "{used} of {} bytes used",
                bytes.len()
            );
            let message = message.map(<[u8]>::to_vec);
            ensure!(
                message.as_ref().is_none_or(|message| message.len() <= max),
                "{message:?} is longer than {max} bytes"
            );
            messages.extend(message);
            bytes = &bytes[used..];
        }
    }
    Ok(messages)
}

/// As can-utils' server reads: a buffer is filled from `<` to `>`. Where the end is not among the digits of
/// the longest message and two bytes more, they are all lost.
fn read(text: &[u8], max: usize) -> Vec<Vec<u8>> {
    let (mut messages, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[begin + 1..];
        let buffer = &rest[..rest.len().min(2 * max + 1)];
        let Some(end) = buffer.iter().position(|byte| *byte == b'>') else {
            rest = rest.get(2 * max + 2..).unwrap_or_default();
            continue;
        };
        let digits = &buffer[..end];
        // lenient there: a pair of which the second is none, and blanks
        let strict = digits.iter().all(u8::is_ascii_hexdigit);
        if strict && !digits.is_empty() && digits.len() % 2 == 0 {
            messages.push(bytes(digits));
        }
        rest = &rest[end + 1..];
    }
    messages
}

fn bytes(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    digits
        .chunks(2)
        .map(|pair| value(pair[0]) << 4 | value(pair[1]))
        .collect()
}

/// What makes messages, and what breaks them, in bytes of which any few are likely to.
const ALPHABET: &[u8; 8] = b"<>09aFg\n";
