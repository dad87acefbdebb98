//! How what stands for controls in a log looks. They are never obeyed, however that is.

use std::borrow::Cow;

use strum::{Display, EnumString, VariantNames};

use crate::logs::safe::SafeText;

use super::line::Line;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(in crate::tui) enum Controls {
    /// Each where it is.
    #[default]
    Show,
    /// How many there are, at the end of the line.
    Count,
    /// Not at all; the line alone (Enter) has them still.
    Hide,
}

impl Line {
    /// Its text as it is seen.
    pub(in crate::tui) fn shown(&self, controls: Controls) -> Cow<'_, SafeText> {
        match controls {
            Controls::Count | Controls::Hide if self.text.controls() > 0 => {
                Cow::Owned(self.text.without_controls(controls == Controls::Count))
            }
            Controls::Show | Controls::Count | Controls::Hide => Cow::Borrowed(&self.text),
        }
    }
}
