//! Shrinking: fewer operations, fewer letters, fewer options, as long as the same claim is broken.

use super::mutation::Mutation;
use super::operation::Operation;
use super::plan::Plan;
use super::world::{Broken, run};

/// A plan with as little in it as could be found that still breaks the claim `broken` names, and how it breaks there.
/// `damage` is done in every run, `effort` bounds the events of all runs together.
pub fn shrink(
    plan: &Plan,
    broken: &Broken,
    damage: Option<Mutation>,
    effort: u64,
) -> (Plan, Broken) {
    let mut search = Search {
        best: plan.clone(),
        how: broken.clone(),
        damage,
        effort,
    };
    search.try_with(|plan| plan.steps.truncate(broken.step.max(1)));
    search.remove_steps();
    search.remove_letters();
    search.remove_options();
    search.remove_steps();
    (search.best, search.how)
}

struct Search {
    best: Plan,
    how: Broken,
    damage: Option<Mutation>,
    effort: u64,
}

impl Search {
    /// Runs the best plan with a change; keeps the change if the run fails alike.
    fn try_with(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        if self.effort == 0 {
            return false;
        }
        let mut plan = self.best.clone();
        change(&mut plan);
        let outcome = run(&plan, self.damage, false);
        self.effort = self.effort.saturating_sub(outcome.events + 1);
        match outcome.broken {
            Some(broken) if broken.failure.checker == self.how.failure.checker => {
                (self.best, self.how) = (plan, broken);
                true
            }
            _ => false,
        }
    }

    /// Takes out runs of steps, half of them first, single ones last.
    fn remove_steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 && self.effort > 0 {
            let mut from = 0;
            while from < self.best.steps.len() && self.effort > 0 {
                let to = (from + size).min(self.best.steps.len());
                if !self.try_with(|plan| drop(plan.steps.drain(from..to))) {
                    from += size;
                }
            }
            size /= 2;
        }
    }

    /// Takes letters out of the batches that are left.
    fn remove_letters(&mut self) {
        for step in 0..self.best.steps.len() {
            let mut at = 0;
            while let Some(Operation::Publish(letters)) =
                self.best.steps.get(step).map(|step| &step.operation)
                && at < letters.len()
                && letters.len() > 1
                && self.effort > 0
            {
                let removed = self.try_with(|plan| {
                    if let Operation::Publish(letters) = &mut plan.steps[step].operation {
                        letters.remove(at);
                    }
                });
                at += usize::from(!removed);
            }
        }
    }

    /// Leaves options at their defaults.
    fn remove_options(&mut self) {
        for client in 0..self.best.clients.len() {
            let mut at = 0;
            while at < self.best.clients[client].options.len() && self.effort > 0 {
                let removed = self.try_with(|plan| drop(plan.clients[client].options.remove(at)));
                at += usize::from(!removed);
            }
        }
    }
}
