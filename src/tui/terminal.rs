//! The terminal: entered, painted and, on every way out, given back as it was.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::mouse::Modes;

/// How the terminal was before; kept where a panic and a signal find it.
static BEFORE: OnceLock<nix::libc::termios> = OnceLock::new();
/// Whether it is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Alternate screen, no cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[2J\x1b[H";
/// The wheel as arrows; presses, drags and the wheel of the mouse.
const WHEEL: [&[u8]; 2] = [b"\x1b[?1007l", b"\x1b[?1007h"];
const MOUSE: [&[u8]; 2] = [b"\x1b[?1006l\x1b[?1002l", b"\x1b[?1002h\x1b[?1006h"];
/// The exact reverse of all; colours back first.
const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[0m\x1b[?1007l\x1b[?1006l\x1b[?1002l\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Synchronised update: a terminal that knows it shows whole frames only.
const FRAME_BEGIN: &[u8] = b"\x1b[?2026h";
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// Gives the terminal back; once, whoever calls first.
pub(super) fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        repair();
    }
}

/// Gives the terminal back whether or not this process has it.
pub(super) fn repair() {
    let mut out = io::stdout().lock();
    let _ = out.write_all(LEAVE).and_then(|()| out.flush());
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &Termios::from(*before));
    }
}

/// Remembers how the terminal is, for [`repair`].
///
/// # Errors
/// When standard input is no terminal.
pub(super) fn remember() -> io::Result<()> {
    let before = tcgetattr(io::stdin())?;
    let _ = BEFORE.set(before.into());
    Ok(())
}

/// A terminal that is ours until this value goes.
pub(super) struct Terminal {
    shown: Buffer,
    modes: Modes,
}

impl Terminal {
    /// Raw mode and the alternate screen.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn enter() -> io::Result<Self> {
        let mut it = Self {
            shown: Buffer::empty(Rect::default()),
            modes: Modes::default(),
        };
        it.enter_again()?;
        Ok(it)
    }

    /// The same after it was given back, as Ctrl-Z does.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn enter_again(&mut self) -> io::Result<()> {
        let mut raw = tcgetattr(io::stdin().as_fd())?;
        cfmakeraw(&mut raw);
        ENTERED.store(true, Ordering::SeqCst);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)?;
        let mut out = io::stdout().lock();
        out.write_all(ENTER)?;
        out.flush()?;
        self.modes = Modes::default();
        self.forget();
        Ok(())
    }

    /// Asks for the wheel and the mouse, or not any more; nothing when that is so already.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn tell(&mut self, modes: Modes) -> io::Result<()> {
        let mut bytes = Vec::new();
        if self.modes.wheel != modes.wheel {
            bytes.extend_from_slice(WHEEL[usize::from(modes.wheel)]);
        }
        if self.modes.mouse != modes.mouse {
            bytes.extend_from_slice(MOUSE[usize::from(modes.mouse)]);
        }
        if !bytes.is_empty() {
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()?;
        }
        self.modes = modes;
        Ok(())
    }

    /// Leaves the alternate screen and prints lines, which the terminal then scrolls and selects as its own.
    pub(super) fn print(&mut self, lines: &[String]) {
        let mut bytes = Vec::from(LEAVE);
        for line in lines {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"-- any key returns --");
        let mut out = io::stdout().lock();
        // A terminal that is gone is noticed elsewhere.
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    }

    /// How large it is.
    pub(super) fn size() -> (u16, u16) {
        crossterm::terminal::size().unwrap_or((80, 24))
    }

    /// Whatever is on the screen is not known any more.
    pub(super) fn forget(&mut self) {
        self.shown = Buffer::empty(Rect::default());
    }

    /// Sends what differs, as one write; nothing when nothing does. How many bytes that were.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn paint(&mut self, next: Buffer) -> io::Result<usize> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(FRAME_BEGIN);
        let begun = bytes.len();
        if self.shown.area != next.area {
            bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
            self.shown = Buffer::empty(next.area);
        }
        let changes = self.shown.diff(&next);
        if !changes.is_empty() {
            let mut backend = CrosstermBackend::new(&mut bytes);
            backend.draw(changes.into_iter())?;
        }
        let any = bytes.len() > begun;
        if any {
            bytes.extend_from_slice(FRAME_END);
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()?;
        }
        self.shown = next;
        Ok(if any { bytes.len() } else { 0 })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}
