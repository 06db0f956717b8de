//! As much of ELF as it takes to weigh a program.

/// The bytes in the sections of these names; `None` if this is no ELF file of 32 bits, little endian.
pub(super) fn sections(file: &[u8], names: &[&str]) -> Option<u32> {
    if file.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let headers = word(file, 0x20)? as usize;
    let (size, count) = (half(file, 0x2E)? as usize, half(file, 0x30)? as usize);
    let header = |at: usize| file.get(headers + at * size..);
    let names_at = word(header(half(file, 0x32)? as usize)?, 0x10)? as usize;
    let mut sum = 0;
    for header in (0..count).map(header) {
        let header = header?;
        let name = file.get(names_at + word(header, 0)? as usize..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        if names.iter().any(|wanted| wanted.as_bytes() == name) {
            sum += word(header, 0x14)?;
        }
    }
    Some(sum)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_le_bytes(bytes))
}
