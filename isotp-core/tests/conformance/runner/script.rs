//! The items of a script: `@0 req 1003 ; tx 7E0#021003 ; cfm N_OK`.

use super::data::Pattern;
use super::frame::{FramePattern, Received};
use super::message::Message;
use super::profile::Profile;
use super::world::{Direction, Expected};

/// What a vector does and expects.
#[derive(Debug)]
pub(crate) enum Script {
    /// The configuration is refused, and that is all.
    ConfigRefused,
    Steps(Vec<Step>),
}

/// One item with its time.
#[derive(Debug)]
pub(crate) struct Step {
    /// Microseconds.
    pub(crate) at: u64,
    pub(crate) text: String,
    pub(crate) item: Item,
}

#[derive(Debug)]
pub(crate) enum Item {
    Stimulus(Stimulus),
    Expect(Vec<Expected>),
}

#[derive(Debug)]
pub(crate) enum Stimulus {
    Request { functional: bool, data: Vec<u8> },
    Receive(Vec<Received>),
    Confirm,
    Hold(bool),
    Change { name: String, value: u32 },
    Abort(Direction),
    End,
}

impl Script {
    pub(crate) fn parse(text: &str, profile: &Profile) -> Result<Self, String> {
        let items: Vec<&str> = text.split(';').map(str::trim).collect();
        let mut now = 0;
        let mut steps = Vec::new();
        let mut refused = false;
        for text in &items {
            let (at, item) = split_time(text).map_err(|error| format!("`{text}`: {error}"))?;
            let at = at.unwrap_or(now);
            if at < now {
                return Err(format!("`{text}`: time runs backward"));
            }
            now = at;
            if item == "cfgerr" {
                refused = true;
                continue;
            }
            let item = parse_item(item, profile).map_err(|error| format!("`{text}`: {error}"))?;
            steps.push(Step {
                at,
                text: (*text).to_owned(),
                item,
            });
        }
        match (refused, steps.is_empty()) {
            (false, _) => Ok(Self::Steps(steps)),
            (true, true) => Ok(Self::ConfigRefused),
            (true, false) => Err("`cfgerr` stands alone".to_owned()),
        }
    }
}

fn split_time(text: &str) -> Result<(Option<u64>, &str), String> {
    let Some(rest) = text.strip_prefix('@') else {
        return Ok((None, text));
    };
    let (time, item) = rest
        .split_once(char::is_whitespace)
        .ok_or("a time without an item")?;
    Ok((Some(parse_time(time)?), item.trim()))
}

/// Milliseconds with up to three decimals, as microseconds.
pub(crate) fn parse_time(text: &str) -> Result<u64, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 3 {
        return Err(format!(
            "`{text}` is no time in ms with up to three decimals"
        ));
    }
    format!("{whole}{part:0<3}")
        .parse()
        .map_err(|_| format!("`{text}` is too late"))
}

fn parse_item(text: &str, profile: &Profile) -> Result<Item, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    if let Some(stimulus) = parse_stimulus(word, rest, profile)? {
        return Ok(Item::Stimulus(stimulus));
    }
    if let Some(expected) = parse_expectation(word, rest, profile)? {
        return Ok(Item::Expect(expected));
    }
    Err(format!("unknown word `{word}`"))
}

fn parse_stimulus(word: &str, rest: &str, profile: &Profile) -> Result<Option<Stimulus>, String> {
    let stimulus = match word {
        "req" | "reqf" => Stimulus::Request {
            functional: word == "reqf",
            data: Pattern::parse(rest)?.exact()?,
        },
        "rx" => Stimulus::Receive(vec![Received::parse(rest)?]),
        "rxcf" => {
            let (range, dl) = match rest.split_once("dl") {
                Some((range, dl)) => (range, number(dl)? as usize),
                None => (rest, 8),
            };
            let (from, to, len) = parse_range(range)?;
            let message = Message::received(profile, len, dl)?;
            Stimulus::Receive(message.frames(from, to)?)
        }
        "con" => bare(rest, Stimulus::Confirm)?,
        "hold" => bare(rest, Stimulus::Hold(true))?,
        "grant" => bare(rest, Stimulus::Hold(false))?,
        "chg" => {
            let (name, value) = rest
                .split_once(char::is_whitespace)
                .ok_or("expected a name and a value")?;
            let value = u32::from_str_radix(value.trim(), 16)
                .map_err(|_| format!("`{value}` is no hexadecimal value"))?;
            Stimulus::Change {
                name: name.to_owned(),
                value,
            }
        }
        "abort" => Stimulus::Abort(match rest {
            "tx" => Direction::Transmit,
            "rx" => Direction::Receive,
            _ => return Err(format!("abort `{rest}`, expected tx or rx")),
        }),
        "end" => bare(rest, Stimulus::End)?,
        _ => return Ok(None),
    };
    Ok(Some(stimulus))
}

fn parse_expectation(
    word: &str,
    rest: &str,
    profile: &Profile,
) -> Result<Option<Vec<Expected>>, String> {
    let expected = match word {
        "tx" => Expected::Frame(FramePattern::parse(rest)?),
        "txcf" => {
            let (from, to, len) = parse_range(rest)?;
            let frames = Message::sent(profile, len).frames(from, to)?;
            let frames = frames.into_iter().filter_map(Expected::from_received);
            return Ok(Some(frames.collect()));
        }
        "ff" => Expected::FirstFrame(number(rest)?),
        "ind" | "indf" => Expected::Indication {
            functional: word == "indf",
            data: Pattern::parse(rest)?,
        },
        "ind!" => Expected::Failed(one_of(rest, &N_RESULTS[1..])?),
        "cfm" => Expected::Confirmed(one_of(rest, &N_RESULTS)?),
        "chgcfm" => Expected::Changed(one_of(rest, &CHANGE_RESULTS)?),
        "rej" => bare(rest, Expected::Refused)?,
        _ => return Ok(None),
    };
    Ok(Some(vec![expected]))
}

/// `a-b of L`
fn parse_range(text: &str) -> Result<(u32, u32, u32), String> {
    let wrong = || format!("`{text}`: expected FIRST-LAST of LENGTH");
    let (range, len) = text.split_once("of").ok_or_else(wrong)?;
    let (from, to) = range.split_once('-').ok_or_else(wrong)?;
    Ok((number(from)?, number(to)?, number(len)?))
}

fn number(text: &str) -> Result<u32, String> {
    let text = text.trim();
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn bare<T>(rest: &str, item: T) -> Result<T, String> {
    if rest.is_empty() {
        Ok(item)
    } else {
        Err(format!("`{rest}` after a word that stands alone"))
    }
}

fn one_of(text: &str, names: &[&'static str]) -> Result<&'static str, String> {
    names
        .iter()
        .find(|name| **name == text)
        .copied()
        .ok_or_else(|| format!("unknown result `{text}`, expected one of {names:?}"))
}

const N_RESULTS: [&str; 10] = [
    "N_OK",
    "N_TIMEOUT_A",
    "N_TIMEOUT_Bs",
    "N_TIMEOUT_Cr",
    "N_WRONG_SN",
    "N_INVALID_FS",
    "N_UNEXP_PDU",
    "N_WFT_OVRN",
    "N_BUFFER_OVFLW",
    "N_ERROR",
];

const CHANGE_RESULTS: [&str; 4] = ["N_OK", "N_RX_ON", "N_WRONG_PARAMETER", "N_WRONG_VALUE"];
