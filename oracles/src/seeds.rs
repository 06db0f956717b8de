//! Seeds for the fuzzers: the frames of the conformance vectors, as each target takes its input.

/// The first inputs of a target, from the text of the conformance vectors: name and bytes.
#[must_use]
pub fn seeds(target: &str, vectors: &str) -> Vec<(String, Vec<u8>)> {
    let lines = vectors.lines().filter(|line| line.starts_with("T-"));
    let scripts = lines.filter_map(|line| {
        let name = line.split_once(' ')?.0;
        Some((name, frames(line)))
    });
    let scripts = scripts.filter(|(_, frames)| !frames.is_empty()).step_by(3);
    let seeds = scripts.map(|(name, frames)| (name.to_owned(), seed(target, &frames)));
    seeds.collect()
}

/// The data fields of the frames that a vector's node hears.
fn frames(line: &str) -> Vec<Vec<u8>> {
    line.split("rx ")
        .skip(1)
        .filter_map(|text| text.split_once('#'))
        .map(|(_, text)| {
            let digits: Vec<u8> = text.bytes().take_while(u8::is_ascii_hexdigit).collect();
            let digits = digits.chunks_exact(2);
            let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
            digits
                .map(|pair| value(pair[0]) << 4 | value(pair[1]))
                .collect()
        })
        .collect()
}

/// A head of choices, then the frames, each behind the choices that lead to it.
fn seed(target: &str, frames: &[Vec<u8>]) -> Vec<u8> {
    let (head, before): (usize, &[u8]) = match target {
        "pdu" => (4, &[]),
        "receiver" => (16, &[1, 0, 1, 0, 1]),
        "observer" => (6, &[1, 0, 1, 1, 1]),
        "link" => (SETUP, &[0, 8, 1, 7]),
        "router" => (SETUP + 2, &[0, 0, 8, 1, 7]),
        "sender" => return flows(frames),
        "isotpserver" => return text(frames),
        _ => (SETUP, &[]),
    };
    let mut seed = vec![0; head];
    for frame in frames {
        seed.extend(before);
        seed.push(frame.len() as u8);
        seed.extend(frame);
    }
    seed
}

/// A message of 100 bytes; for each flow control of the vector a confirmation and that flow control.
fn flows(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut seed = vec![0; SETUP];
    seed.extend([0, 0, 0, 99, 0]);
    for frame in frames.iter().filter(|frame| frame.first() > Some(&0x2F)) {
        let status = [9, 0, 2, 3][usize::from(frame[0] & 3)];
        seed.extend([8, 4, status]);
        seed.extend(frame.iter().skip(1).take(2));
    }
    seed
}

fn text(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut text = vec![39, 0, 3, 0, 200];
    for frame in frames {
        isotp_driver::isotpserver::encode(frame, &mut text);
    }
    text
}

/// Bytes of choices that make a setup.
const SETUP: usize = 31;
