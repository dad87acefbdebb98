//! What was written to a terminal, taken apart: text and control sequences.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(char),
    /// A control character outside a sequence, C1 included.
    Control(char),
    /// `ESC [`, parameters and intermediates, final character.
    Csi(String, char),
    /// `ESC` and one of `] P X ^ _`, with what follows up to its end.
    Text7(char, String),
    /// Any other `ESC x`.
    Escape(String),
}

/// Takes apart; a sequence that never ends, or bytes that are no UTF-8, are a failure.
#[track_caller]
pub(crate) fn pieces(raw: &[u8]) -> Vec<Piece> {
    let text = std::str::from_utf8(raw)
        .unwrap_or_else(|error| panic!("not UTF-8 on the terminal: {error}"));
    let mut found = Vec::new();
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        found.push(match char {
            '\x1b' => sequence(&mut rest),
            char if char.is_control() => Piece::Control(char),
            char => Piece::Text(char),
        });
    }
    found
}

fn sequence(rest: &mut std::str::Chars<'_>) -> Piece {
    match rest.next().expect("something after ESC") {
        '[' => {
            let mut parameters = String::new();
            loop {
                let char = rest.next().expect("the end of a control sequence");
                match char {
                    '@'..='~' => return Piece::Csi(parameters, char),
                    ' '..='?' => parameters.push(char),
                    other => panic!("{other:?} inside a control sequence after {parameters:?}"),
                }
            }
        }
        kind @ (']' | 'P' | 'X' | '^' | '_') => {
            let mut body = String::new();
            for char in rest.by_ref() {
                if char == '\x07' || (char == '\\' && body.ends_with('\x1b')) {
                    break;
                }
                body.push(char);
            }
            Piece::Text7(kind, body)
        }
        mut char => {
            let mut escape = String::from(char);
            while matches!(char, ' '..='/') {
                char = rest.next().expect("the end of an escape sequence");
                escape.push(char);
            }
            Piece::Escape(escape)
        }
    }
}

/// Is it something that a dashboard needs: moving, clearing, styles, its own modes and text that draws?
pub(crate) fn is_ours(piece: &Piece) -> bool {
    match piece {
        Piece::Text(char) => !is_invisible(*char),
        Piece::Control(char) => matches!(char, '\r' | '\n' | '\x08'),
        Piece::Csi(parameters, end) => match end {
            'h' | 'l' => {
                let modes = parameters.strip_prefix('?').unwrap_or("no private mode");
                modes.split(';').all(|mode| {
                    matches!(
                        mode,
                        "7" | "25" | "1004" | "1007" | "1049" | "2004" | "2026"
                    )
                    // The mouse is given back; it is taken only by a key.
                    || (*end == 'l' && matches!(mode, "1002" | "1006"))
                })
            }
            'A'..='H' | 'J' | 'K' | 'L' | 'M' | 'P' | 'S' | 'T' | 'X' | 'd' | 'f' | 'm' | 'r' => {
                parameters
                    .chars()
                    .all(|char| char.is_ascii_digit() || matches!(char, ';' | ':'))
            }
            // The shape of the cursor.
            'q' => parameters.ends_with(' '),
            _ => false,
        },
        Piece::Text7(..) => false,
        Piece::Escape(escape) => matches!(escape.as_str(), "7" | "8" | "=" | ">" | "(B"),
    }
}

/// Characters that change what a reader sees without being seen.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe0f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The numbers of every SGR sequence.
pub(crate) fn styles(raw: &[u8]) -> Vec<u16> {
    let numbers = |parameters: &str| -> Vec<u16> {
        parameters
            .split([';', ':'])
            .map(|number| number.parse().unwrap_or(0))
            .collect()
    };
    pieces(raw)
        .iter()
        .flat_map(|piece| match piece {
            Piece::Csi(parameters, 'm') => numbers(parameters),
            _ => Vec::new(),
        })
        .collect()
}

/// How often a run of bytes occurs.
pub(crate) fn count(raw: &[u8], what: &str) -> usize {
    raw.windows(what.len())
        .filter(|window| *window == what.as_bytes())
        .count()
}
