//! Logs to be read: lines in memory, where a reader stands in them, and what is looked for. Pure; costs go with what is
//! seen and not with how much there is.

mod alike;
mod buffer;
mod controls;
mod endings;
mod feed;
mod fields;
mod gather;
mod hunt;
mod kin;
mod line;
mod ours;
mod pane;
mod rows;
mod strip;
mod times;
mod words;

pub(super) use alike::Similar;
pub(super) use controls::Controls;
pub(super) use endings::{Endings, Told};
pub(super) use fields::fields;
pub(super) use gather::{Asking, Found};
pub(super) use hunt::{Aim, Hunt, Way};
pub(super) use kin::Kin;
pub(super) use line::{Line, Number, ours};
pub(super) use pane::{Anchor, Pane, Scope, Spotted};
pub(super) use rows::{Row, Shape, breaks};
pub(super) use strip::Strip;
pub(super) use times::{Times, moment, whole};
pub(super) use words::Words;
