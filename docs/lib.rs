//! The Rust code of the pages in this folder is compiled and run: each is the documentation of an item
//! here while the documentation is tested. So are the READMEs whose code needs more than their own crate.
#![forbid(unsafe_code)]

#[cfg(doctest)]
mod pages {
    #[doc = include_str!("which-crate.md")]
    struct WhichCrate;

    #[doc = include_str!("coming-from-aioisotp.md")]
    struct ComingFromAioisotp;

    #[doc = include_str!("what-happens-when.md")]
    struct WhatHappensWhen;

    #[doc = include_str!("../isotp-driver/README.md")]
    struct Driver;

    #[doc = include_str!("../isotp-socketcan/README.md")]
    struct SocketCan;

    #[doc = include_str!("../isotp-tokio/README.md")]
    struct Tokio;
}
