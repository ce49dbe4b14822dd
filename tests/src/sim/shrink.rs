//! Shrinking: fewer operations, as long as the same claim is broken.

use super::plan::Plan;
use super::world::{Broken, run};

/// A plan with as few steps as could be found that still breaks the claim `broken` names, and how it breaks there.
/// `budget` bounds the number of runs.
pub fn shrink(plan: &Plan, broken: &Broken, mut budget: usize) -> (Plan, Broken) {
    let (mut best, mut how) = (plan.clone(), broken.clone());
    best.steps.truncate(broken.step.max(1));
    match fails_alike(&best, broken) {
        Some(shorter) => how = shorter,
        None => best = plan.clone(),
    }
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 && budget > 0 {
        let mut from = 0;
        let mut removed = false;
        while from < best.steps.len() && budget > 0 {
            let mut fewer = best.clone();
            fewer
                .steps
                .drain(from..(from + size).min(fewer.steps.len()));
            budget -= 1;
            if let Some(shorter) = fails_alike(&fewer, broken) {
                (best, how, removed) = (fewer, shorter, true);
            } else {
                from += size;
            }
        }
        if !removed || size > best.steps.len() {
            size /= 2;
        }
    }
    (best, how)
}

fn fails_alike(plan: &Plan, broken: &Broken) -> Option<Broken> {
    run(plan, None, false)
        .broken
        .filter(|other| other.failure.checker == broken.failure.checker)
}
