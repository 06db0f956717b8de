//! Debian's kernel: its package is downloaded and unpacked, nothing is installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::said;
use crate::shell;

/// What the tests need, in the order in which it is loaded; dependencies come before each.
const MODULES: &[&str] = &[
    "can",
    "can-raw",
    "can-isotp",
    "can-gw",
    "can-dev",
    "vcan",
    "vxcan",
    "sja1000",
    "kvaser_pci",
    "sch_tbf",
];
/// The kernel as it comes, and as it is in memory: to unpack it takes an emulated processor several seconds.
const PACKED: &str = "vmlinuz";
const UNPACKED: &str = "vmlinux";
/// Depends on the newest kernel.
const META_PACKAGE: &str = "linux-image-amd64";

/// A kernel that can be booted, and its modules in the order in which they are loaded.
pub(crate) struct Kernel {
    pub(crate) image: PathBuf,
    pub(crate) modules: Vec<PathBuf>,
}

/// The kernel in the cache; downloaded if there is none, and then never again.
pub(crate) fn prepare(cache: &Path) -> Result<Kernel, String> {
    let folder = cache.join("kernel");
    let order = folder.join("order");
    let wanted = format!("{UNPACKED} {}", MODULES.join(" "));
    if std::fs::read_to_string(folder.join("wanted"))
        .ok()
        .as_deref()
        != Some(wanted.as_str())
    {
        let package = match package_in(cache)? {
            Some(package) => package,
            None => download(cache)?,
        };
        extract(cache, &package, &folder)?;
        let wanted_file = folder.join("wanted");
        std::fs::write(&wanted_file, wanted).map_err(|error| said(&wanted_file, &error))?;
    }
    let names = std::fs::read_to_string(&order).map_err(|error| said(&order, &error))?;
    let unpacked = folder.join(UNPACKED);
    Ok(Kernel {
        image: if unpacked.is_file() {
            unpacked
        } else {
            folder.join(PACKED)
        },
        modules: names.lines().map(|name| folder.join(name)).collect(),
    })
}

fn package_in(cache: &Path) -> Result<Option<PathBuf>, String> {
    let files = std::fs::read_dir(cache).map_err(|error| said(cache, &error))?;
    Ok(files.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("linux-image-") && name.ends_with(".deb")
    }))
}

fn download(cache: &Path) -> Result<PathBuf, String> {
    // old lists name an old kernel, and a fresh container has none
    let update = shell::run(shell::program("apt-get").arg("update"));
    let (_, text) = shell::capture(Command::new("apt-cache").args(["depends", META_PACKAGE]))?;
    let package = text.lines().find_map(|line| {
        let name = line.trim().strip_prefix("Depends: ")?;
        name.starts_with("linux-image-").then_some(name)
    });
    let package = match (package, update) {
        (Some(package), Ok(())) => package,
        (Some(package), Err(error)) => {
            eprintln!("{error}; the kernel is that of the lists of packages that are here");
            package
        }
        (None, update) => {
            let why = update.err().unwrap_or_default();
            return Err(format!(
                "no kernel: the package {META_PACKAGE} of Debian is not known here {why}"
            ));
        }
    };
    let mut apt = shell::program("apt-get");
    shell::run(apt.args(["download", package]).current_dir(cache))?;
    package_in(cache)?.ok_or_else(|| format!("apt-get download {package} brought no file"))
}

/// Takes the kernel and the wanted modules out of the package.
fn extract(cache: &Path, package: &Path, folder: &Path) -> Result<(), String> {
    let unpacked = cache.join("unpacked");
    for old in [&unpacked, &folder.to_owned()] {
        drop(std::fs::remove_dir_all(old));
    }
    shell::run(
        shell::program("dpkg-deb")
            .arg("-x")
            .args([package, &unpacked]),
    )?;
    std::fs::create_dir_all(folder).map_err(|error| said(folder, &error))?;
    let mut files = Vec::new();
    walk(&unpacked, &mut files)?;
    let image = files
        .iter()
        .find(|path| file_name(path).starts_with("vmlinuz-"));
    let image = image.ok_or("the package holds no vmlinuz")?;
    copy(image, &folder.join(PACKED))?;
    if let Err(error) = unpack(folder) {
        eprintln!("{error}; the machine unpacks its kernel itself");
    }
    let modules: BTreeMap<String, &PathBuf> = files
        .iter()
        .filter_map(|path| Some((module_name(path)?, path)))
        .collect();
    let mut order = Vec::new();
    for name in MODULES {
        load(&plain(name), &modules, folder, &mut order)?;
    }
    let list = folder.join("order");
    std::fs::write(&list, order.join("\n")).map_err(|error| said(&list, &error))?;
    std::fs::remove_dir_all(&unpacked).map_err(|error| said(&unpacked, &error))
}

/// Takes the kernel out of what unpacks itself.
fn unpack(folder: &Path) -> Result<(), String> {
    let packed = folder.join(PACKED);
    let bytes = std::fs::read(&packed).map_err(|error| said(&packed, &error))?;
    let payload = payload(&bytes).ok_or("the kernel is packed in a way that is not known here")?;
    let file = folder.join(format!("{UNPACKED}.xz"));
    std::fs::write(&file, payload).map_err(|error| said(&file, &error))?;
    shell::run(
        shell::program("xz")
            .args(["--decompress", "--force"])
            .arg(&file),
    )
}

/// What the boot protocol of Linux on x86 calls the payload, if it is of xz. Its last four bytes say how large it
/// is unpacked.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| {
        let bytes = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let sectors = usize::from(*image.get(0x1F1)?) + 1;
    let begin = sectors * 512 + word(0x248)?;
    let end = (begin + word(0x24C)?).checked_sub(4)?;
    let payload = image.get(begin..end)?;
    payload.starts_with(b"\xFD7zXZ\0").then_some(payload)
}

/// Copies the module after everything that it depends on; `order` gets their names.
fn load(
    name: &str,
    modules: &BTreeMap<String, &PathBuf>,
    folder: &Path,
    order: &mut Vec<String>,
) -> Result<(), String> {
    let file = format!("{name}.ko");
    if order.contains(&file) {
        return Ok(());
    }
    let source = modules
        .get(name)
        .ok_or_else(|| format!("the kernel has no module {name}"))?;
    let target = folder.join(&file);
    copy(source, &target)?;
    if file_name(source).ends_with(".xz") {
        let compressed = folder.join(format!("{file}.xz"));
        std::fs::rename(&target, &compressed).map_err(|error| said(&target, &error))?;
        shell::run(shell::program("xz").arg("--decompress").arg(&compressed))?;
    }
    let bytes = std::fs::read(&target).map_err(|error| said(&target, &error))?;
    for other in depends(&bytes) {
        load(&other, modules, folder, order)?;
    }
    order.push(file);
    Ok(())
}

/// The `depends=` entry of a module's `.modinfo`.
fn depends(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|window| window == key) else {
        return Vec::new();
    };
    let value = module.get(at + key.len()..).unwrap_or_default();
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value)
        .split(',')
        .filter(|name| !name.is_empty())
        .map(plain)
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| said(folder, &error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn module_name(path: &Path) -> Option<String> {
    let name = file_name(path);
    let name = name.strip_suffix(".xz").unwrap_or(&name);
    name.strip_suffix(".ko").map(plain)
}

/// The kernel takes `-` and `_` in names of modules for the same.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| said(from, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_a_kernel_is_found() {
        let mut image = vec![0; 2048];
        image[0x1F1] = 1;
        image[0x248] = 16;
        image[0x24C] = 14;
        image[1040..1050].copy_from_slice(b"\xFD7zXZ\0data");
        assert_eq!(payload(&image), Some(&b"\xFD7zXZ\0data"[..]));
        image[1040] = 0;
        assert_eq!(payload(&image), None);
        assert_eq!(payload(b"short"), None);
    }

    #[test]
    fn dependencies_stand_in_modinfo() {
        let module = b"\x7fELF\0license=GPL\0depends=can,can-dev\0name=x\0";
        assert_eq!(depends(module), ["can", "can_dev"]);
        assert!(depends(b"\0depends=\0name=can\0").is_empty());
    }
}
