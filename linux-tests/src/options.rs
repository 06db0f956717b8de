//! The command line.

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Cases whose name holds one of these; all if there is none.
    pub(crate) filters: Vec<String>,
    /// The whole grid instead of the sample.
    pub(crate) all: bool,
    /// Only names.
    pub(crate) list: bool,
    /// In the emulated machine: nothing may be skipped, and each case is announced.
    pub(crate) guest: bool,
    /// Used by those cases that cannot make an interface of their own.
    pub(crate) interface: String,
    /// Run those cases whose names come on the input.
    pub(crate) worker: bool,
    /// In a network of its own, with a vcan0.
    pub(crate) network: bool,
    /// The one processor to run on.
    pub(crate) processor: Option<usize>,
}

impl Options {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            filters: Vec::new(),
            all: false,
            list: false,
            guest: false,
            interface: "vcan0".to_owned(),
            worker: false,
            network: false,
            processor: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--all" => options.all = true,
                "--list" => options.list = true,
                "--guest" => options.guest = true,
                "--network" => options.network = true,
                "--filter" => options.filters.push(value(&word, &mut words)?),
                "--interface" => options.interface = value(&word, &mut words)?,
                "--processor" => {
                    let number = value(&word, &mut words)?;
                    let number = number.parse().map_err(|error| format!("{word}: {error}"))?;
                    options.processor = Some(number);
                }
                "--worker" => options.worker = true,
                option if option.starts_with('-') => {
                    return Err(format!(
                        "expected [FILTER..] [--all] [--list] [--interface NAME], got '{option}'"
                    ));
                }
                _ => options.filters.push(word),
            }
        }
        Ok(options)
    }

    /// Whether the case was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }
}

fn value(option: &str, words: &mut impl Iterator<Item = String>) -> Result<String, String> {
    words
        .next()
        .ok_or_else(|| format!("expected a value after {option}"))
}
