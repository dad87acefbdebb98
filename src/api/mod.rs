//! The wire: what the daemon answers and takes, as JSON over HTTP. Domain types inside, no twins.

mod activity;
mod edit;
mod error;
mod log_line;
mod log_page;
mod metrics;
mod past;
mod place;
mod plan;
mod push;
mod request;
mod rollout;
mod tree;
mod typed;
mod undo;
mod view;

pub use crate::domain::activity::{Activity, Outcome};
pub use crate::domain::changes::{Changes, Redefined};
pub use crate::domain::event::{Event, Follows, What};
pub use crate::domain::gate::{Figure, Side, Verdict};
pub use crate::domain::intent::Intent;
pub use crate::domain::level::Level;
pub use crate::domain::operation::{Progress, Sending, Verb, Whom, Work};
pub use crate::domain::record::Record;
pub use crate::domain::rollout::{Place, Whole};
pub use crate::domain::run::{Asker, Ended, Evidence, Reason, Run};
pub use crate::domain::scale::Count;
pub use crate::domain::secrecy::Mark;
pub use crate::domain::selector::Selector;
pub use crate::domain::status::Status;
pub use crate::domain::tree::Protocol;
pub use crate::domain::voice::Heard;
pub use crate::domain::who::{CLIENT, Face, Who};
pub use crate::domain::why::{Cause, Earlier, Holder, Next, Why};
pub use crate::platform::host::{Host, Net, Own};
pub use activity::{ActivityQuery, ChangesQuery, ClientView};
pub use edit::{Definition, Edit, MASK, Reveal, Revealed};
pub use error::{ApiError, Code};
pub use log_line::LogLine;
pub use log_page::{
    Bucket, LogControls, LogControlsQuery, LogEvents, LogEventsQuery, LogHistogram,
    LogHistogramQuery, LogPage, LogPageQuery, LogSearchQuery, SearchEnd, SearchNews, SearchState,
};
pub use metrics::{Columns, MetricHistory};
pub use past::{InstanceRuns, RunState, RunView};
pub use place::{Cursor, LogPlace, NoCursor};
pub use plan::{PlanProcess, PlanQuery, PlanView};
pub use push::{HeardOf, Metric, Push, Snapshot};
pub use request::{
    Act, Apply, Define, Down, LAST_EVENT_ID, LogQuery, READ_ONLY, RecordQuery, Rolling,
    RolloutControl, Scale, SendSignal, ServerControl,
};
pub use rollout::{GateView, PlaceView, RolloutView};
pub use tree::{Listener, TreeProcess, TreeView};
pub(crate) use typed::typed;
pub use undo::{Undo, UndoView};
pub use view::{
    Action, Applied, Change, Counts, DaemonInfo, Detail, ExitView, InstanceView, OperationView,
    ScribeView, SubsystemView, TargetView, VariableOrigin,
};
