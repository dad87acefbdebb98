//! The keys of the copy menu: the same in the table and on the screen of one instance.

use super::action::Action;
use super::action::Place::{Detail, Processes};
use super::bindings::{Binding, bind};

const NAME: &str = "copy its name, or those of what is marked";
const ID: &str = "copy its number";
const PID: &str = "copy its pid";
const COMMAND: &str = "copy its command";
const ROW: &str = "copy its row";
const ERROR: &str = "copy its last error";
const VARIABLE: &str = "copy the variable that is pointed at, as it is seen";
const LINE: &str = "copy the last line of its log";
const TWIN: &str = "copy the last command, as the shell has it";
const VIEW: &str = "copy all that is seen";

/// What counts after `y`.
pub(super) const COPYING: &[Binding] = &[
    bind(Processes, "y+n c+n", Action::CopyName, NAME, None),
    bind(Processes, "y+i c+i", Action::CopyId, ID, None),
    bind(Processes, "y+p c+p", Action::CopyPid, PID, None),
    bind(Processes, "y+c c+c", Action::CopyCommand, COMMAND, None),
    bind(Processes, "y+r c+r", Action::CopyRow, ROW, None),
    bind(Processes, "y+e c+e", Action::CopyError, ERROR, None),
    bind(Processes, "y+l c+l", Action::CopyLine, LINE, None),
    bind(Processes, "y+t c+t", Action::CopyTwin, TWIN, None),
    bind(Processes, "y+v c+v", Action::CopyView, VIEW, None),
    bind(Detail, "y+n c+n", Action::CopyName, NAME, None),
    bind(Detail, "y+i c+i", Action::CopyId, ID, None),
    bind(Detail, "y+p c+p", Action::CopyPid, PID, None),
    bind(Detail, "y+c c+c", Action::CopyCommand, COMMAND, None),
    bind(Detail, "y+r c+r", Action::CopyRow, ROW, None),
    bind(Detail, "y+e c+e", Action::CopyError, ERROR, None),
    bind(Detail, "y+V c+V", Action::CopyVariable, VARIABLE, None),
    bind(Detail, "y+t c+t", Action::CopyTwin, TWIN, None),
    bind(Detail, "y+v c+v", Action::CopyView, VIEW, None),
];
