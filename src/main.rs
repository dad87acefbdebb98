//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    adasa::run(std::env::args_os().collect())
}
