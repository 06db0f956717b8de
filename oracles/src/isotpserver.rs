//! The codec of isotpserver: any bytes in any pieces give the messages that a plain reading gives.

use isotp_driver::isotpserver::{Decoder, encode};
use isotp_sim::Rng;
use isotp_testkit::Choose as _;

use crate::source::Source;
use crate::{Verdict, ensure};

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let max = 1 + source.below(40) as usize;
    let mut cuts = Rng::new(source.below(1 << 16));
    let mut pieces = || 1 + cuts.below(20) as usize;
    let text = source.bytes(4096);
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

/// The table above the decoder, with the whole text in hand.
fn read(text: &[u8], max: usize) -> Vec<Vec<u8>> {
    let (mut messages, mut rest) = (Vec::new(), text);
    while let Some(begin) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[begin + 1..];
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if digits > 2 * max {
            rest = &rest[2 * max + 1..];
            continue;
        }
        if rest.get(digits) == Some(&b'>') {
            if digits > 0 && digits % 2 == 0 {
                messages.push(bytes(&rest[..digits]));
            }
            rest = &rest[digits + 1..];
            continue;
        }
        // wrong: up to the next '>', or until it is longer than any message
        let whole = digits / 2 * 2;
        let wrong = rest.get(digits + 1..).unwrap_or_default();
        let most = (2 * max - whole) + 1;
        let end = wrong.iter().take(most).position(|byte| *byte == b'>');
        let skipped = end.map_or(most, |end| end + 1).min(wrong.len());
        rest = &wrong[skipped..];
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
