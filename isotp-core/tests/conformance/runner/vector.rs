//! One line of a vector file: number, [requirements], `profile{overrides}`, `script`, remark.

/// The parts of a line, not yet understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Vector<'a> {
    pub(crate) number: &'a str,
    pub(crate) profile: &'a str,
    pub(crate) script: &'a str,
}

impl<'a> Vector<'a> {
    /// `None` for comments and empty lines.
    pub(crate) fn parse(line: &'a str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let mut parts = line.split('`');
        let head = parts.next().unwrap_or_default();
        let number = head
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .trim_end_matches(',');
        let (Some(profile), Some(_), Some(script), Some(_)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!(
                "`{line}`: expected NUMBER [requirements] `profile` `script`"
            ));
        };
        if number.is_empty() || number.starts_with('[') {
            return Err(format!("`{line}`: the vector has no number"));
        }
        Ok(Some(Self {
            number,
            profile: profile.trim(),
            script: script.trim(),
        }))
    }
}
