//! The dashboard (placeholder while the rest is wired).
use std::time::Duration;
use crate::client::Client;
/// How it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Options { pub interval: Duration, pub ascii: bool, pub guardian: bool }
pub fn run(_client: Client, _options: Options) -> std::io::Result<u8> { Ok(0) }
