//! The file system of the emulated machine, as the cpio archive that the kernel unpacks at boot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::kernel::Kernel;
use super::{find, said};
use crate::shell;

/// Copied from this machine, with the libraries they need.
const PROGRAMS: &[&str] = &[
    "isotpsend",
    "isotprecv",
    "isotpdump",
    "isotpserver",
    "candump",
    "cansend",
    "ip",
    "tc",
];
const FOLDERS: &[&str] = &[
    "bin", "dev", "etc", "lib", "lib64", "modules", "proc", "sys", "tmp",
];

/// Writes the archive: the program runs with the arguments as the only thing in it.
pub(crate) fn write(
    path: &Path,
    kernel: &Kernel,
    program: &Path,
    arguments: &[String],
) -> Result<(), String> {
    let mut archive = Archive::default();
    for folder in FOLDERS {
        archive.folder(folder);
    }
    archive.file("init", 0o755, init(arguments).as_bytes());
    archive.copy("bin/program", program)?;
    archive.copy("bin/busybox", &found("busybox")?)?;
    let mut libraries = BTreeSet::new();
    for name in PROGRAMS {
        let file = found(name)?;
        archive.copy(&format!("bin/{name}"), &file)?;
        libraries.extend(needed(&file)?);
    }
    for library in libraries {
        let inside = library.to_string_lossy().trim_start_matches('/').to_owned();
        archive.folders_of(&inside);
        archive.copy(&inside, &library)?;
    }
    let mut order = String::new();
    for module in &kernel.modules {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        archive.copy(&format!("modules/{name}"), module)?;
        order.push_str(&format!("{name}\n"));
    }
    archive.file("modules/order", 0o644, order.as_bytes());
    std::fs::write(path, archive.finish()).map_err(|error| said(path, &error))
}

fn init(arguments: &[String]) -> String {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    include_str!("init.sh").replace("ARGUMENTS", &words.join(" "))
}

fn found(program: &str) -> Result<PathBuf, String> {
    find(program).ok_or_else(|| format!("{program} is not here"))
}

/// The shared libraries of a program, as `ldd` finds them.
fn needed(program: &Path) -> Result<Vec<PathBuf>, String> {
    let (ok, text) = shell::capture(Command::new("ldd").arg(program))?;
    if !ok {
        return Err(format!("ldd {}: {text}", program.display()));
    }
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(words.map(PathBuf::from).collect())
}

/// A cpio archive of the kind `newc`.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    folders: BTreeSet<String>,
}

impl Archive {
    fn folder(&mut self, name: &str) {
        if self.folders.insert(name.to_owned()) {
            self.entry(name, 0o040_755, &[]);
        }
    }

    fn folders_of(&mut self, file: &str) {
        for (at, _) in file.match_indices('/') {
            self.folder(file.get(..at).unwrap_or_default());
        }
    }

    fn file(&mut self, name: &str, mode: u32, data: &[u8]) {
        self.entry(name, 0o100_000 | mode, data);
    }

    fn copy(&mut self, name: &str, from: &Path) -> Result<(), String> {
        let data = std::fs::read(from).map_err(|error| said(from, &error))?;
        self.file(name, 0o755, &data);
        Ok(())
    }

    fn entry(&mut self, name: &str, mode: u32, data: &[u8]) {
        self.entries += 1;
        let (links, size, name_size) = (1, data.len(), name.len() + 1);
        // inode, mode, uid, gid, links, time, size, device, device of a special file, name, checksum
        let header = format!(
            "070701{:08X}{mode:08X}{:08X}{:08X}{links:08X}{:08X}{size:08X}{:08X}{:08X}{:08X}{:08X}{name_size:08X}{:08X}",
            self.entries, 0, 0, 0, 0, 0, 0, 0, 0
        );
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(data);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_headers_of_110_bytes_and_is_aligned() {
        let mut archive = Archive::default();
        archive.file("init", 0o755, b"hello");
        let bytes = archive.finish();
        assert_eq!(bytes.get(..6), Some(&b"070701"[..]));
        assert_eq!(bytes.get(110..115), Some(&b"init\0"[..]));
        assert_eq!(bytes.get(116..121), Some(&b"hello"[..]));
        assert_eq!(bytes.get(124..130), Some(&b"070701"[..]));
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn arguments_are_quoted_for_the_shell() {
        let script = init(&["a b".to_owned(), "it's".to_owned()]);
        assert!(script.contains(r"/bin/program 'a b' 'it'\''s'"));
    }
}
