//! What stands between the keyboard and the keymap: a torn escape sequence is no letters, a paste is no typing.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// So many printable keys at once are a paste.
const PASTE: usize = 8;

/// The second of two keys that came as one: a terminal says Alt and a key in the bytes of Esc and that key, so a slow line
/// that brings both at once would turn "no" and the next key into that key alone. No key is bound to Alt.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others have sequences of their own for Alt"
)]
fn without_escape(key: KeyEvent) -> Option<KeyEvent> {
    if !key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    match key.code {
        KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace => {
            Some(KeyEvent::new(key.code, key.modifiers - KeyModifiers::ALT))
        }
        _ => None,
    }
}

/// Holds a lone Esc back until it is known to be one.
#[derive(Debug)]
pub(super) struct Gate {
    patience: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Open,
    /// An Esc came; it may be the begin of a sequence.
    Escape {
        key: KeyEvent,
        until: Duration,
    },
    /// Inside a torn sequence: swallow to its end.
    Sequence {
        until: Duration,
    },
}

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    Key(KeyEvent),
    Paste(String),
}

impl Gate {
    /// Slow lines tear sequences further apart.
    pub(super) fn new(over_ssh: bool) -> Self {
        Self {
            patience: Duration::from_millis(if over_ssh { 100 } else { 50 }),
            state: State::Open,
        }
    }

    /// Takes the keys that came together at this moment.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only letters are typed text"
    )]
    pub(super) fn feed(&mut self, now: Duration, keys: &[KeyEvent]) -> Vec<Typed> {
        let mut out = self.settle(now);
        let printable: String = keys
            .iter()
            .filter_map(|key| match key.code {
                KeyCode::Char(c) if key.modifiers.is_empty() || c.is_uppercase() => Some(c),
                _ => None,
            })
            .collect();
        let distinct: std::collections::HashSet<char> = printable.chars().collect();
        // A key that is held down repeats itself; a paste is text.
        if printable.chars().count() >= PASTE && distinct.len() > 2 {
            out.push(Typed::Paste(printable));
            return out;
        }
        for key in keys {
            if let Some(alone) = without_escape(*key) {
                self.one(now, KeyCode::Esc.into(), &mut out);
                self.one(now, alone, &mut out);
            } else {
                self.one(now, *key, &mut out);
            }
        }
        out
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "sequences are of letters")]
    fn one(&mut self, now: Duration, key: KeyEvent, out: &mut Vec<Typed>) {
        match self.state {
            State::Escape { key: escape, .. } => {
                if matches!(key.code, KeyCode::Char('[' | 'O')) {
                    self.state = State::Sequence {
                        until: now + self.patience,
                    };
                    return;
                }
                out.push(Typed::Key(escape));
                self.state = State::Open;
                self.one(now, key, out);
            }
            State::Sequence { .. } => {
                let ends = match key.code {
                    KeyCode::Char(c) => c.is_ascii_alphabetic() || c == '~',
                    _ => true,
                };
                self.state = if ends {
                    State::Open
                } else {
                    State::Sequence {
                        until: now + self.patience,
                    }
                };
            }
            State::Open if key.code == KeyCode::Esc => {
                self.state = State::Escape {
                    key,
                    until: now + self.patience,
                };
            }
            State::Open => out.push(Typed::Key(key)),
        }
    }

    /// What is known to be complete by now.
    pub(super) fn settle(&mut self, now: Duration) -> Vec<Typed> {
        match self.state {
            State::Escape { key, until } if now >= until => {
                self.state = State::Open;
                vec![Typed::Key(key)]
            }
            State::Sequence { until } if now >= until => {
                self.state = State::Open;
                vec![]
            }
            State::Open | State::Escape { .. } | State::Sequence { .. } => vec![],
        }
    }

    /// When [`Self::settle`] has something to do.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.state {
            State::Open => None,
            State::Escape { until, .. } | State::Sequence { until } => Some(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_torn_arrow_is_no_delete() {
        let mut gate = Gate::new(false);
        assert_eq!(gate.feed(ms(0), &[key(KeyCode::Esc)]), vec![]);
        assert_eq!(gate.feed(ms(30), &[key(KeyCode::Char('['))]), vec![]);
        assert_eq!(gate.feed(ms(60), &[key(KeyCode::Char('D'))]), vec![]);
        let after = gate.feed(ms(61), &[key(KeyCode::Char('j'))]);
        assert_eq!(after, vec![Typed::Key(key(KeyCode::Char('j')))]);
    }

    #[test]
    fn a_lone_escape_comes_after_a_moment() {
        let mut gate = Gate::new(false);
        assert!(gate.feed(ms(0), &[key(KeyCode::Esc)]).is_empty());
        assert_eq!(gate.due(), Some(ms(50)));
        assert_eq!(gate.settle(ms(50)), vec![Typed::Key(key(KeyCode::Esc))]);
        let both = gate.feed(ms(60), &[key(KeyCode::Esc), key(KeyCode::Char('x'))]);
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn an_escape_that_comes_together_with_the_next_key_is_not_lost() {
        let mut gate = Gate::new(true);
        for code in [KeyCode::Char('y'), KeyCode::Char('D'), KeyCode::Enter] {
            let together = KeyEvent::new(code, KeyModifiers::ALT);
            let both = [KeyCode::Esc, code].map(|code| Typed::Key(key(code)));
            assert_eq!(gate.feed(ms(0), &[together]), both);
        }
        let arrow = KeyEvent::new(KeyCode::Up, KeyModifiers::ALT);
        assert_eq!(gate.feed(ms(1), &[arrow]), [Typed::Key(arrow)]);
    }

    #[test]
    fn much_text_at_once_is_a_paste_and_a_held_key_is_not() {
        let mut gate = Gate::new(true);
        let keys: Vec<KeyEvent> = "D y x y rr"
            .chars()
            .map(|c| key(KeyCode::Char(c)))
            .collect();
        assert_eq!(
            gate.feed(ms(0), &keys),
            vec![Typed::Paste("D y x y rr".into())]
        );
        let held = vec![key(KeyCode::Char('j')); 20];
        assert_eq!(gate.feed(ms(1), &held).len(), 20);
    }
}
