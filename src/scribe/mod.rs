//! The scribe: moves bytes from pipes to files and nothing else. Crash-only: no byte is ever in its own memory, and
//! where it stopped the next one goes on. It knows nothing of processes, policies or readers.

mod file;
mod note;
mod pipes;
mod requests;
pub(crate) mod role;
mod stage;
#[cfg(test)]
mod tests;
