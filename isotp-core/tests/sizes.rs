//! Sizes of the public types, the same constants whatever features are on: no feature changes a type.
//!
//! The numbers are those of 64-bit targets; when a type is changed on purpose, change its number.
#![cfg(target_pointer_width = "64")]

use core::mem::size_of;

use isotp_core::{
    Address, Config, Event, Frame, FrameView, Half, Id, Instant, Link, Message, NResult, Observer,
    Receiver, Sender, Timeout, Transmit, TxToken,
};

type Buffer = &'static mut [u8];
type Payload = &'static [u8];

#[test]
fn no_feature_changes_a_size() {
    let sizes = [
        ("Id", size_of::<Id>(), 4),
        ("Half", size_of::<Half>(), 8),
        ("Address", size_of::<Address>(), 24),
        ("Frame", size_of::<Frame>(), 72),
        ("FrameView", size_of::<FrameView<'_>>(), 24),
        ("Config", size_of::<Config>(), 120),
        ("Instant", size_of::<Instant>(), 8),
        ("Timeout", size_of::<Timeout>(), 16),
        ("NResult", size_of::<NResult>(), 3),
        ("TxToken", size_of::<TxToken>(), 8),
        ("Transmit", size_of::<Transmit<'_>>(), 40),
        ("Event", size_of::<Event<'_, Buffer>>(), 32),
        ("Message", size_of::<Message<'_, Buffer>>(), 32),
        ("Sender", size_of::<Sender<Payload>>(), 72),
        ("Receiver", size_of::<Receiver<Buffer>>(), 136),
        ("Link", size_of::<Link<Buffer, Payload>>(), 304),
        ("Observer", size_of::<Observer<Buffer>>(), 496),
    ];
    for (name, size, expected) in sizes {
        assert_eq!(size, expected, "{name}");
    }
}
