//! Interfaces are made, changed and removed by messages to the kernel, which answers when it is done. The program
//! `ip` does the same, but takes an emulated processor a while to load.

use std::io::Error;
use std::os::fd::AsFd;

use crate::sys;

/// A virtual bus that is up and carries FD frames: `ip link add NAME up mtu 72 type vcan`.
pub(crate) fn add_vcan(name: &str) -> Result<(), String> {
    let mut attributes = attribute(libc::IFLA_MTU, &FD.to_ne_bytes());
    attributes.extend(vcan());
    change(name, libc::RTM_NEWLINK, NEW, Some(true), &attributes)
}

/// One that is down: `ip link add NAME type vcan`.
pub(crate) fn add_vcan_down(name: &str) -> Result<(), String> {
    change(name, libc::RTM_NEWLINK, NEW, None, &vcan())
}

/// `ip link set NAME up`.
pub(crate) fn up(name: &str) -> Result<(), String> {
    change(name, libc::RTM_NEWLINK, 0, Some(true), &[])
}

/// `ip link set NAME down`.
pub(crate) fn down(name: &str) -> Result<(), String> {
    change(name, libc::RTM_NEWLINK, 0, Some(false), &[])
}

/// `ip link set NAME mtu 16`, on one that is down: it carries no FD frames.
pub(crate) fn without_fd(name: &str) -> Result<(), String> {
    let attributes = attribute(libc::IFLA_MTU, &CLASSIC.to_ne_bytes());
    change(name, libc::RTM_NEWLINK, 0, None, &attributes)
}

/// `ip link del NAME`.
pub(crate) fn remove(name: &str) -> Result<(), String> {
    change(name, libc::RTM_DELLINK, 0, None, &[])
}

fn change(
    name: &str,
    kind: u16,
    flags: i32,
    up: Option<bool>,
    attributes: &[u8],
) -> Result<(), String> {
    let said = |error: Error| format!("the interface {name}: {error}");
    let message = message(name, kind, flags, up, attributes);
    let socket = sys::route_socket().map_err(said)?;
    sys::write(socket.as_fd(), &message).map_err(said)?;
    // the answer: the header of a message, and an error number, which is 0 or negative
    let mut answer = [0; 64];
    sys::receive(socket.as_fd(), &mut answer).map_err(said)?;
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        number => Err(said(Error::from_raw_os_error(-number))),
    }
}

fn message(name: &str, kind: u16, flags: i32, up: Option<bool>, attributes: &[u8]) -> Vec<u8> {
    let flag = |holds: bool| u32::from(holds) * libc::IFF_UP as u32;
    // family and kind of hardware, and the index, for which the name stands
    let mut body = vec![0; 8];
    // the flags, and which of them change
    body.extend(flag(up == Some(true)).to_ne_bytes());
    body.extend(flag(up.is_some()).to_ne_bytes());
    body.extend(attribute(
        libc::IFLA_IFNAME,
        &[name.as_bytes(), &[0]].concat(),
    ));
    body.extend(attributes);
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // its number, and who asks
    message.extend([0; 8]);
    message.extend(body);
    message
}

fn vcan() -> Vec<u8> {
    attribute(
        libc::IFLA_LINKINFO,
        &attribute(libc::IFLA_INFO_KIND, b"vcan"),
    )
}

/// Length, kind and value, with zeros up to the next multiple of four.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

const NEW: i32 = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
const FD: u32 = 72;
const CLASSIC: u32 = 16;
