//! Questions about network interfaces.

use core::ffi::{CStr, c_char};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;

use super::check;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// Its number.
    Index,
    /// The longest frame, header and all.
    Mtu,
    /// The `IFF_` flags.
    Flags,
    /// What kind of device it is, an `ARPHRD_` number.
    Kind,
}

/// Asks one thing about an interface; `ENODEV` if there is none of this name.
pub(crate) fn device_attribute(name: &str, attribute: Attribute) -> io::Result<i32> {
    // any socket will do, and this one needs no CAN
    let socket = UnixDatagram::unbound()?;
    // SAFETY: `ifreq` is plain numbers and bytes, for which zero is a value.
    let mut request: libc::ifreq = unsafe { core::mem::zeroed() };
    // the last byte stays zero
    let room = request.ifr_name.len() - 1;
    if name.is_empty() || name.len() > room || name.contains('\0') {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    let number = match attribute {
        Attribute::Index => libc::SIOCGIFINDEX,
        Attribute::Mtu => libc::SIOCGIFMTU,
        Attribute::Flags => libc::SIOCGIFFLAGS,
        Attribute::Kind => libc::SIOCGIFHWADDR,
    };
    // SAFETY: these requests read the name out of an `ifreq` and write their answer into it; it lives
    // as long as the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), number as _, &raw mut request) })?;
    // SAFETY: the field of the union that this request fills; all fields are plain numbers.
    Ok(unsafe {
        match attribute {
            Attribute::Index => request.ifr_ifru.ifru_ifindex,
            Attribute::Mtu => request.ifr_ifru.ifru_mtu,
            Attribute::Flags => i32::from(request.ifr_ifru.ifru_flags),
            Attribute::Kind => i32::from(request.ifr_ifru.ifru_hwaddr.sa_family),
        }
    })
}

/// The names of all network interfaces.
pub(crate) fn device_names() -> io::Result<Vec<String>> {
    // SAFETY: nothing goes in; what comes out is freed below.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut names = Vec::new();
    let mut entry = list;
    // SAFETY: the list ends with an entry whose index is 0 and whose name is null; every entry before
    // it has a name that ends with a zero byte.
    unsafe {
        while (*entry).if_index != 0 && !(*entry).if_name.is_null() {
            let name = CStr::from_ptr((*entry).if_name);
            names.push(name.to_string_lossy().into_owned());
            entry = entry.add(1);
        }
    }
    // SAFETY: it is what `if_nameindex` gave, freed once, and the names were copied.
    unsafe { libc::if_freenameindex(list) };
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_interface_can_be_asked() {
        let names = device_names().unwrap();
        // a network namespace has at least its loopback interface
        let loopback = names.iter().find(|name| *name == "lo").unwrap();
        assert!(device_attribute(loopback, Attribute::Index).unwrap() > 0);
        assert!(device_attribute(loopback, Attribute::Mtu).unwrap() > 0);
        let kind = device_attribute(loopback, Attribute::Kind).unwrap();
        assert_eq!(kind, i32::from(libc::ARPHRD_LOOPBACK));
        assert!(device_attribute(loopback, Attribute::Flags).is_ok());
    }

    #[test]
    fn what_is_no_name_is_no_device() {
        for name in [
            "",
            "no-such-device0",
            "name-of-sixteen-",
            "lo\0x",
            "far-too-long-a-name-for-it",
        ] {
            let error = device_attribute(name, Attribute::Index).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{name:?}");
        }
    }
}
