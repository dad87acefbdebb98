//! Text that came from outside, made harmless: what a process wrote can never move a cursor, set a title or fill a
//! clipboard. Colours are kept as styles; every other control becomes a visible mark.

use unicode_width::UnicodeWidthChar as _;

/// At most this many bytes of a line are shown.
pub(crate) const SHOWN_MAX: usize = 8 * 1024;
/// At most this many bytes of a line are shown when it is shown alone.
pub(crate) const WHOLE_MAX: usize = 64 * 1024;
/// An escape sequence without an end is given up after this many bytes.
const SEQUENCE_MAX: usize = 4 * 1024;
/// More combining marks on one character are dropped.
const MARKS_MAX: u32 = 4;
/// A line with more than this share of bad bytes is binary.
const BINARY_PERCENT: usize = 30;

/// A colour of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One of the terminal's 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How a piece of text looks; only what cannot hide anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Foreground.
    pub fg: Option<Colour>,
    /// Background.
    pub bg: Option<Colour>,
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background exchanged.
    pub reverse: bool,
    /// Not what was written, but what stands for it: a control, bytes that are no text.
    pub mark: bool,
    /// It stands for a control.
    pub control: bool,
}

/// One line of harmless text: no control characters, no characters that change direction or have no width of their
/// own, a certain width in cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SafeText {
    pieces: Vec<(String, Look)>,
    width: usize,
    controls: u32,
    commands: u32,
}

impl SafeText {
    /// Makes bytes harmless.
    #[must_use]
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::up_to(bytes, SHOWN_MAX)
    }

    /// As [`Self::new`], of a line of which another part is shown; at least 4 bytes.
    #[must_use]
    pub(crate) fn up_to(bytes: &[u8], most: usize) -> Self {
        let mut end = bytes.len().min(most);
        // Not inside a character: the bytes of UTF-8 that follow the first begin with 10.
        while end < bytes.len() && end > most - 4 && bytes[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let shown = &bytes[..end];
        let mut maker = Maker::default();
        maker.line(shown);
        if bytes.len() > shown.len() {
            maker.look = Look::default();
            maker.mark(&format!("… +{} bytes", bytes.len() - shown.len()));
        }
        maker.text
    }

    /// The pieces, each with its look.
    #[must_use]
    pub(crate) fn pieces(&self) -> &[(String, Look)] {
        &self.pieces
    }

    /// What was written of it, without what stands for controls: for a clipboard.
    #[must_use]
    pub(crate) fn bare(&self) -> String {
        let written = self.pieces.iter().filter(|(_, look)| !look.mark);
        written.map(|(text, _)| text.as_str()).collect()
    }

    /// How many controls were in it.
    #[must_use]
    pub(crate) fn controls(&self) -> u32 {
        self.controls
    }

    /// How many of them would have commanded a terminal: to move its cursor, to fill a clipboard, to set a title.
    #[must_use]
    pub(crate) fn commands(&self) -> u32 {
        self.commands
    }

    /// The same without what stands for controls; how many there are is said at its end, if that is wanted.
    #[must_use]
    pub(crate) fn without_controls(&self, counted: bool) -> Self {
        let mut maker = Maker::default();
        for (text, look) in self.pieces.iter().filter(|(_, look)| !look.control) {
            maker.look = *look;
            for c in text.chars() {
                maker.push(c, c.width().unwrap_or(0));
            }
        }
        maker.look = Look::default();
        if counted && self.controls > 0 {
            let more = if self.controls == 1 { "" } else { "s" };
            maker.mark(&format!("⟨{} control{more}⟩", self.controls));
        }
        (maker.text.controls, maker.text.commands) = (self.controls, self.commands);
        maker.text
    }

    /// How many terminal cells it takes.
    #[must_use]
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The text alone.
    #[must_use]
    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }
}

/// A short text from outside (a name, an error, a command) as one harmless string.
#[must_use]
pub(crate) fn harmless(text: &str) -> String {
    SafeText::new(text.as_bytes()).plain()
}

/// One cell, no meaning.
fn is_plain(byte: &u8) -> bool {
    (0x20..0x7f).contains(byte)
}

#[derive(Default)]
struct Maker {
    text: SafeText,
    look: Look,
    marks: u32,
}

impl Maker {
    fn push(&mut self, c: char, width: usize) {
        match self.text.pieces.last_mut() {
            Some((text, look)) if *look == self.look => text.push(c),
            Some(_) | None => self.text.pieces.push((c.to_string(), self.look)),
        }
        self.text.width += width;
    }

    fn mark(&mut self, text: &str) {
        self.look.mark = true;
        for c in text.chars() {
            self.push(c, c.width().unwrap_or(1));
        }
        self.look.mark = false;
        self.marks = 0;
    }

    /// A control: it is seen, and does nothing.
    fn control(&mut self, text: &str) {
        self.look.control = true;
        self.mark(text);
        self.look.control = false;
        self.text.controls += 1;
    }

    /// A control that would have commanded a terminal.
    fn command(&mut self, text: &str) {
        self.control(text);
        self.text.commands += 1;
    }

    fn line(&mut self, bytes: &[u8]) {
        // Most lines are only this, which is seen many bytes at a time.
        if bytes.iter().all(is_plain)
            && let Ok(plain) = std::str::from_utf8(bytes)
        {
            return self.append(plain);
        }
        let bad: usize = bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
        if bytes.len() > 16 && bad * 100 > bytes.len() * BINARY_PERCENT {
            self.mark(&format!("⟨binary {} bytes⟩", bytes.len()));
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let chunk = rest.utf8_chunks().next();
            let (valid, invalid) = chunk.map_or(("", &[][..]), |c| (c.valid(), c.invalid()));
            let consumed = self.valid(valid, rest);
            if consumed > valid.len() {
                // A sequence ran past the valid part; go on behind it.
                rest = &rest[consumed.min(rest.len())..];
                continue;
            }
            for byte in invalid.iter().take(8) {
                let shown = format!("⟨{byte:02x}⟩");
                if (0x80..=0x9f).contains(byte) {
                    self.command(&shown);
                } else {
                    self.mark(&shown);
                }
            }
            rest = &rest[(valid.len() + invalid.len()).min(rest.len())..];
        }
    }

    /// Takes what needs no look at each character; returns how many bytes.
    fn plain(&mut self, text: &str) -> usize {
        let length = text.bytes().take_while(is_plain).count();
        self.append(&text[..length]);
        length
    }

    fn append(&mut self, plain: &str) {
        if plain.is_empty() {
            return;
        }
        match self.text.pieces.last_mut() {
            Some((text, look)) if *look == self.look => text.push_str(plain),
            Some(_) | None => self.text.pieces.push((plain.to_owned(), self.look)),
        }
        self.text.width += plain.len();
        self.marks = 0;
    }

    /// Takes the characters; returns how many bytes of `all` are done, which begins with `valid`.
    fn valid(&mut self, valid: &str, all: &[u8]) -> usize {
        let mut at = 0;
        loop {
            at += self.plain(&valid[at..]);
            let Some(c) = valid.get(at..).and_then(|t| t.chars().next()) else {
                break;
            };
            if c == '\u{1b}' {
                let length = self.escape(&all[at..]);
                at += length;
                if at > valid.len() || !valid.is_char_boundary(at) {
                    return at;
                }
            } else {
                self.character(c);
                at += c.len_utf8();
            }
        }
        valid.len()
    }

    fn character(&mut self, c: char) {
        match c {
            '\t' => {
                for _ in 0..8 - self.text.width % 8 {
                    self.push(' ', 1);
                }
            }
            '\r' => self.control("␍"),
            '\u{0}'..='\u{1f}' => {
                let picture = char::from_u32(0x2400 + u32::from(c)).unwrap_or('?');
                self.control(picture.encode_utf8(&mut [0; 4]));
            }
            '\u{7f}' => self.control("␡"),
            '\u{80}'..='\u{9f}' => self.command(&format!("⟨{:02x}⟩", u32::from(c))),
            '\u{200e}'
            | '\u{200f}'
            | '\u{61c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                self.control(direction(c));
            }
            '\u{2028}' | '\u{2029}' => self.control("⟨nl⟩"),
            // Emoji presentation and its glue: the base character alone has a certain width.
            '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0000}'..='\u{e0fff}'
            | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{20e3}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{180b}'..='\u{180f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{206a}'..='\u{206f}'
            | '\u{fff0}'..='\u{fffb}' => {}
            c => match c.width().unwrap_or(0) {
                0 if self.marks < MARKS_MAX && self.text.width > 0 => {
                    self.marks += 1;
                    self.push(c, 0);
                }
                0 => {}
                width => {
                    self.marks = 0;
                    self.push(c, width);
                }
            },
        }
    }

    /// One escape sequence at the start of `bytes`; returns its length. See ECMA-48.
    fn escape(&mut self, bytes: &[u8]) -> usize {
        let window = &bytes[..bytes.len().min(SEQUENCE_MAX)];
        match window.get(1) {
            Some(b'[') => {
                let body = window[2..]
                    .iter()
                    .position(|b| (0x40..=0x7e).contains(b))
                    .map(|n| n + 2);
                let Some(end) = body else {
                    self.command("␛[…");
                    return window.len();
                };
                let parameters = &window[2..end];
                if window[end] == b'm'
                    && parameters
                        .iter()
                        .all(|b| b.is_ascii_digit() || b";:".contains(b))
                {
                    self.select_look(parameters);
                } else {
                    let shown: String = window[2..=end]
                        .iter()
                        .take(12)
                        .map(|b| {
                            if b.is_ascii_graphic() {
                                char::from(*b)
                            } else {
                                '·'
                            }
                        })
                        .collect();
                    self.command(&format!("␛[{shown}"));
                }
                end + 1
            }
            Some(b']' | b'P' | b'X' | b'^' | b'_') => {
                let kind = char::from(window[1]);
                let end = window[2..].iter().enumerate().position(|(n, b)| {
                    *b == 0x07 || (*b == 0x1b && window.get(n + 3) == Some(&b'\\'))
                });
                let digits: String = window[2..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .take(4)
                    .map(|b| char::from(*b))
                    .collect();
                self.command(&format!("␛{kind}{digits}…"));
                match end {
                    Some(n) if window[n + 2] == 0x07 => n + 3,
                    Some(n) => n + 4,
                    None => window.len(),
                }
            }
            Some(b) if b.is_ascii_graphic() => {
                self.command(&format!("␛{}", char::from(*b)));
                2
            }
            Some(_) | None => {
                self.command("␛");
                1
            }
        }
    }

    /// `CSI … m`: colours, bold, italic, underline and reverse; everything else is passed over.
    fn select_look(&mut self, parameters: &[u8]) {
        let text = String::from_utf8_lossy(parameters);
        let mut numbers = text
            .split([';', ':'])
            .map(|n| n.parse::<u16>().unwrap_or(0));
        while let Some(n) = numbers.next() {
            let base = |n: u16, from: u16| u8::try_from(n - from).ok().map(Colour::Indexed);
            match n {
                0 => self.look = Look::default(),
                1 => self.look.bold = true,
                3 => self.look.italic = true,
                4 => self.look.underline = true,
                7 => self.look.reverse = true,
                22 => self.look.bold = false,
                23 => self.look.italic = false,
                24 => self.look.underline = false,
                27 => self.look.reverse = false,
                30..=37 => self.look.fg = base(n, 30),
                39 => self.look.fg = None,
                40..=47 => self.look.bg = base(n, 40),
                49 => self.look.bg = None,
                90..=97 => self.look.fg = base(n, 82),
                100..=107 => self.look.bg = base(n, 92),
                38 | 48 => {
                    let byte = |n: Option<u16>| u8::try_from(n.unwrap_or(0)).unwrap_or(0);
                    let colour = match numbers.next() {
                        Some(5) => Some(Colour::Indexed(byte(numbers.next()))),
                        Some(2) => Some(Colour::Rgb(
                            byte(numbers.next()),
                            byte(numbers.next()),
                            byte(numbers.next()),
                        )),
                        Some(_) | None => None,
                    };
                    if n == 38 {
                        self.look.fg = colour;
                    } else {
                        self.look.bg = colour;
                    }
                }
                _ => {}
            }
        }
        // Text that is drawn in its own background would be hidden.
        if self.look.fg.is_some() && self.look.fg == self.look.bg {
            self.look.bg = None;
        }
    }
}

fn direction(c: char) -> &'static str {
    match c {
        '\u{202a}' => "⟨LRE⟩",
        '\u{202b}' => "⟨RLE⟩",
        '\u{202c}' => "⟨PDF⟩",
        '\u{202d}' => "⟨LRO⟩",
        '\u{202e}' => "⟨RLO⟩",
        '\u{2066}' => "⟨LRI⟩",
        '\u{2067}' => "⟨RLI⟩",
        '\u{2068}' => "⟨FSI⟩",
        '\u{2069}' => "⟨PDI⟩",
        '\u{200e}' => "⟨LRM⟩",
        '\u{200f}' => "⟨RLM⟩",
        _ => "⟨ALM⟩",
    }
}

#[cfg(test)]
mod tests;
