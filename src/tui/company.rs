//! What is being done here, and by whom: nobody should meet it with a second hand.

use crate::api::{Activity, Place, RolloutView};
use crate::domain::names::InstanceId;

use super::model::Model;
use super::screens::activity::own_name;
use super::screens::rolling::under_way;

/// What was begun so long ago and is said to go on was lost sight of, milliseconds.
const LONGEST_MS: u64 = 600_000;

/// Who rolls it; none when it is this session.
pub(super) fn roller<'m>(model: &Model, rollout: &'m RolloutView) -> Option<&'m str> {
    let own = own_name(model).is_none_or(|name| name == rollout.by);
    (!own).then(|| rollout.by.split(' ').next().unwrap_or(""))
}

/// What others are at, besides rolling restarts, the newest first.
pub(super) fn others(model: &Model) -> Vec<&Activity> {
    let company = &model.company;
    let now = model.wall_ms;
    let is_other = |it: &&Activity| {
        let who = it.who.as_ref();
        let pid = who.and_then(|who| who.pid);
        who.is_some() && (pid.is_none() || pid != company.own_pid)
    };
    let goes_on = |it: &&Activity| {
        let operation = it.operation.as_ref();
        it.outcome.is_none()
            && it.at_ms + LONGEST_MS > now
            && operation.is_some_and(|id| !model.rollouts.contains_key(id))
    };
    let newest = company.activity.iter().rev();
    newest.filter(is_other).filter(goes_on).collect()
}

/// The user behind an entry.
pub(super) fn user(it: &Activity) -> &str {
    it.who.as_ref().map_or("", |who| &who.user)
}

/// What is under way with one of these, in words.
pub(super) fn lock(model: &Model, targets: &[InstanceId]) -> Option<String> {
    let touched = |rollout: &&RolloutView| {
        let mut places = rollout.places.iter();
        places.any(|place| targets.contains(&place.id))
    };
    if let Some(it) = under_way(model).into_iter().find(touched) {
        let done = it.count(|place| place == Place::Done);
        let who = match roller(model, it) {
            Some(user) => format!("{user} is"),
            None => "you are".to_owned(),
        };
        return Some(format!(
            "{who} rolling {}, {done} of {}",
            it.process,
            it.size()
        ));
    }
    let rows = || targets.iter().filter_map(|id| model.rows.get(id));
    // Of a process as a whole, its name is told; of some of its instances, theirs.
    let named = |it: &&Activity| {
        let mut words = it.name.split(' ');
        words.any(|word| rows().any(|row| row.name() == word || row.key().to_string() == word))
    };
    let it = others(model).into_iter().find(named)?;
    Some(format!("{}: {}", user(it), it.words()))
}
