//! The test language: parsed here, run against a link in virtual time.

pub(crate) mod data;
pub(crate) mod frame;
pub(crate) mod message;
pub(crate) mod profile;
pub(crate) mod report;
pub(crate) mod script;
pub(crate) mod vector;
pub(crate) mod world;

mod selftest;
